"""The workspace: its name, where students pay, and from which amount on two people sign."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from console.views.administration.page import Bench
from console.widgets.basic import Button, label, wrapped
from console.widgets.check import CheckBox
from console.widgets.form import card, line_edit
from console.widgets.notices import EmptyState, Notice
from core.client.errors import ClientError
from core.domain.money import MoneyError, format_rand, parse_rand
from core.protocol.messages import WorkspaceSettings


class WorkspacePage(QWidget):
    """Enter saves. What was typed is not lost by a refresh: only a saved form is refilled."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self._bench = bench
        theme = bench.theme
        self._kept: WorkspaceSettings | None = None
        self._saving = False
        self.name = line_edit(theme, "Name of the workspace")
        self.two = CheckBox(theme, "Two people sign large payments")
        self.threshold = line_edit(theme, "From this amount on", hint="R 5 000.00", limit=24)
        self.bank = line_edit(theme, "Bank", hint="First National Bank")
        self.account_name = line_edit(theme, "Account name")
        self.account_number = line_edit(theme, "Account number", hint="62 0000 0001")
        self.branch_code = line_edit(theme, "Branch code", hint="250655")
        self.save = Button(theme, "Save", look="primary", on_click=self._save_wanted)
        self.undo = Button(theme, "Undo changes", look="quiet", on_click=self._undo)
        self.notice = Notice(theme)
        self.empty = EmptyState(
            theme, icon="landmark", text="Loading…", action="Try again", on_action=self.refresh
        )
        self.empty.tell("landmark", "Loading…", action=False)
        self._form = self._build()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.empty)
        layout.addWidget(self._form)
        self._form.hide()
        self.two.toggled.connect(self.threshold.setEnabled)
        for edit in self._edits:
            edit.textChanged.connect(self._changed)
        self.two.toggled.connect(self._changed)
        self.setFocusProxy(self.name)

    @property
    def _edits(self) -> tuple[QLineEdit, ...]:
        return (
            self.name, self.threshold, self.bank, self.account_name, self.account_number,
            self.branch_code,
        )  # fmt: skip

    def refresh(self) -> None:
        """Fetch again; a form with changes in it stays as it is."""
        if self._kept is None or not self._is_changed():
            self._bench.tasks.replace("load workspace", self._load())

    async def _load(self) -> None:
        try:
            settings = await self._bench.port.workspace_settings()
        except ClientError as error:
            if self._kept is None:
                self.empty.tell("circle-alert", str(error), action=True)
            else:
                self._bench.tell("warn", f"Workspace: {error}")
            return
        if self._kept is None or not self._is_changed():
            self._fill(settings)

    # --- the form ---

    def _fill(self, settings: WorkspaceSettings) -> None:
        self._kept = settings
        cents = settings.threshold_cents
        self.name.setText(settings.name)
        self.two.setChecked(cents is not None)
        self.threshold.setText("" if cents is None else format_rand(cents))
        self.threshold.setEnabled(cents is not None)
        self.bank.setText(settings.bank)
        self.account_name.setText(settings.account_name)
        self.account_number.setText(settings.account_number)
        self.branch_code.setText(settings.branch_code)
        self.empty.hide()
        self._form.show()
        self._changed()

    def _is_changed(self) -> bool:
        try:
            return self._read() != self._kept
        except MoneyError:
            return True

    def _read(self) -> WorkspaceSettings:
        """Raises MoneyError for a threshold that is no amount."""
        return WorkspaceSettings.model_construct(
            name=self.name.text().strip(),
            threshold_cents=parse_rand(self.threshold.text()) if self.two.isChecked() else None,
            bank=self.bank.text().strip(),
            account_name=self.account_name.text().strip(),
            account_number=self.account_number.text().strip(),
            branch_code=self.branch_code.text().strip(),
        )

    def _missing(self) -> str:
        if not self.name.text().strip():
            return "Write the name of the workspace."
        try:
            self._read()
        except MoneyError as error:
            return f"Amount for two signatures: {error}"
        given = [bool(edit.text().strip()) for edit in self._edits[2:]]
        if any(given) and not all(given):
            return "Bank details are complete or empty: bank, name, number and branch code."
        return ""

    def _changed(self) -> None:
        changed = self._is_changed()
        self.save.setEnabled(changed)
        self.undo.setEnabled(changed)

    def _undo(self) -> None:
        self.notice.hide()
        if self._kept is not None:
            self._fill(self._kept)

    def _save_wanted(self) -> None:
        if self._saving or not self.save.isEnabled():
            return
        missing = self._missing()
        if missing:
            self.notice.tell("warn", "Please check", missing)
            return
        self._saving = True
        self._bench.start(self._save(self._read()))

    async def _save(self, settings: WorkspaceSettings) -> None:
        self.notice.hide()
        self.save.setEnabled(False)
        try:
            kept = await self._bench.port.set_workspace(settings)
        except ClientError as error:
            self.notice.tell("warn", "That did not work", str(error))
            self._changed()
            return
        finally:
            self._saving = False
        self._kept = settings
        typed_on = self._is_changed()
        self._kept = kept
        if typed_on:  # somebody typed on meanwhile: that stays, to be saved next
            self._changed()
        else:
            self._fill(kept)
        self._bench.tell("ok", "The workspace is saved.")

    # --- building ---

    def _build(self) -> QWidget:
        theme = self._bench.theme
        body = QWidget()
        body.setProperty("look", "scrolled")
        column = QVBoxLayout(body)
        column.setContentsMargins(20, 16, 20, 24)
        column.setSpacing(16)
        cards = (
            card(theme, "Workspace", [self._row("Name", self.name)]),
            card(
                theme,
                "Bank details",
                [
                    wrapped(theme, "What students see when they pay by EFT.", look="muted"),
                    self._row("Bank", self.bank),
                    self._row("Account name", self.account_name),
                    self._row("Account number", self.account_number),
                    self._row("Branch code", self.branch_code),
                ],
            ),
            card(
                theme,
                "Two signatures",
                [
                    wrapped(
                        theme,
                        "From this amount on a payment needs two officers, never one person twice.",
                        look="muted",
                    ),
                    self.two,
                    self._row("From this amount on", self.threshold),
                ],
            ),
        )
        for one in cards:
            one.setMaximumWidth(720)
            column.addWidget(one)
        self.notice.setMaximumWidth(720)
        column.addWidget(self.notice)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.save)
        buttons.addWidget(self.undo)
        buttons.addStretch(1)
        column.addLayout(buttons)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(body)
        return scroll

    def _row(self, words: str, edit: QLineEdit) -> QWidget:
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        name = label(self._bench.theme, words, look="muted")
        name.setFixedWidth(160)
        name.setBuddy(edit)
        layout.addWidget(name)
        layout.addWidget(edit, 1)
        return row

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if Qt.Key(event.key()) in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._save_wanted()
        else:
            super().keyPressEvent(event)
