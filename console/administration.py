"""What the Administration screen asks for: the backend's routes, and this console's own key."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from console.enrollment import Enrollment
from core.client.api import Api
from core.client.api_admin import AdminApi
from core.protocol.messages import DeviceRequestRow, DeviceState


class DeskAdministration(AdminApi):
    """The `AdministrationPort` of a signed-in administrator."""

    def __init__(self, api: Api, enrollment: Enrollment, *, new_id: Callable[[], UUID]) -> None:
        super().__init__(api, new_id)
        self._enrollment = enrollment

    @property
    def why_not_sign(self) -> str:
        """Why this console's key cannot sign for others, or nothing."""
        if self._enrollment.device.state is DeviceState.ENROLLED:
            return ""
        return "This console is not enrolled itself: do this on an administrator's console that is."

    async def approve(self, asked: DeviceRequestRow) -> None:
        """Enroll another console by this one's key."""
        await self._enrollment.approve(asked)

    async def revoke(self, device: UUID) -> None:
        """Take a device out by this one's key."""
        await self._enrollment.revoke(device)
