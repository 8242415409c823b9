"""Real processes, killed: `make crash N=200`, or `python -m tests.crash --cycles 200 [--seed S]`.

The real backend (`python -m core.backend serve`, a SQLite file) and a real console work under
load: students enroll and submit EFT payments over HTTP, an officer decides them as they come. At a
random moment one of the two is killed with SIGKILL (`Popen.kill`: TerminateProcess on Windows) and
started again; N times each. Sometimes the new process is killed too, while it starts.

Two programs take turns as the console, on the same data folder: the console as it is, with its
window on Qt's offscreen platform (`window.py`), and one without Qt that joins the same
`console.desk.Desk` to a script (`officer.py`), because it starts faster. Both keep their keys and
their session in a file that stands for the system's keyring (`file_keyring.py`).

`journal.py` notes what people were told: a submission whose HTTP answer was read, a decision that
the console said it had stored, an answer that it showed. After each restart and a calm, `checks.py`
holds that against the database, read by a reader of its own: nothing that was told is missing,
nothing happened twice, nothing ended without a word; the ledger verifies; the console's list is the
backend's; access is open exactly where it was approved.

The seed chooses the moments and the work, but real processes are not deterministic: the same seed
makes the same plan, not the same run. What is kept of a failed run is its folder.
"""
