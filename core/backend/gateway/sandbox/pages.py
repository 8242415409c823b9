"""The sandbox's pay page: what a person sees instead of the provider's, plainly marked as play."""

from __future__ import annotations

from html import escape

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

import resources
from core.backend.gateway.sandbox.book import BookError, LinkState, SandboxLink
from core.backend.gateway.sandbox.routes import The
from core.backend.gateway.sandbox.sandbox import DECLINED_CODE
from core.domain.money import format_rand

router = APIRouter()

_TRIES = {"decline": DECLINED_CODE, "no-money": "51", "expired": "54"}
_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_STYLE = """
body { margin: 0; background: var(--surface); color: var(--text);
  font: 15px/1.5 Inter, system-ui, sans-serif; }
.play { margin: 0; background: var(--warn-soft); color: var(--warn); padding: 12px 16px;
  text-align: center;
  font-weight: 600; }
main { max-width: 400px; margin: 48px auto; padding: 24px; background: var(--surface-raised);
  border: 1px solid var(--border); border-radius: 8px; }
h1 { font-size: 15px; font-weight: 600; margin: 0; color: var(--text-muted); }
.amount { font-size: 32px; font-weight: 600; margin: 4px 0 16px;
  font-variant-numeric: tabular-nums; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 4px 16px; margin: 0 0 24px; }
dt { color: var(--text-muted); } dd { margin: 0; overflow-wrap: anywhere; }
form { margin: 0 0 8px; }
button, a.leave { display: block; width: 100%; box-sizing: border-box; padding: 10px; font: inherit;
  text-align: center; border-radius: 6px; border: 1px solid var(--border-strong); cursor: pointer;
  background: var(--surface-raised); color: var(--text); text-decoration: none; }
button.pay { background: var(--accent); border-color: var(--accent); color: var(--accent-text);
  font-weight: 600; }
button:focus-visible, a:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; }
a.leave { border-color: transparent; color: var(--text-muted); }
"""


@router.get("/pay/{link_id}")
async def pay_page(link_id: str, sandbox: The) -> Response:
    link = sandbox.book.find(link_id)
    if link is None:
        return _page("<h1>There is no such payment.</h1>", status=404)
    return _page(_already(link) if link.state is LinkState.PAID else _form(link))


@router.post("/pay/{link_id}/pay")
async def pay(link_id: str, sandbox: The) -> Response:
    try:
        link = sandbox.pay(link_id)
    except BookError as error:
        return _page(f"<h1>{escape(error.message)}</h1>", status=409)
    return RedirectResponse(link.success_url, 303, headers=_HEADERS)


@router.post("/pay/{link_id}/{how}")
async def fail(link_id: str, how: str, sandbox: The) -> Response:
    code = _TRIES.get(how)
    if code is None:
        return _page("<h1>There is no such button.</h1>", status=404)
    try:
        link = sandbox.decline(link_id, code)
    except BookError as error:
        return _page(f"<h1>{escape(error.message)}</h1>", status=409)
    return RedirectResponse(link.failure_url, 303, headers=_HEADERS)


def _form(link: SandboxLink) -> str:
    here = f"/pay/{escape(link.id)}"
    return f"""
<h1>To pay</h1>
<p class="amount">{escape(format_rand(link.amount_cents))}</p>
<dl>
  <dt>For</dt><dd>{escape(link.description)}</dd>
  <dt>Reference</dt><dd>{escape(link.reference)}</dd>
</dl>
<form method="post" action="{here}/pay"><button class="pay" id="pay">Pay</button></form>
<form method="post" action="{here}/decline"><button id="decline">Card declined</button></form>
<form method="post" action="{here}/no-money"><button id="no-money">Not enough money</button></form>
<form method="post" action="{here}/expired"><button id="expired">Card expired</button></form>
<a class="leave" id="leave" href="{escape(link.cancel_url)}">Leave without paying</a>"""


def _already(link: SandboxLink) -> str:
    return f"""
<h1>Paid already</h1>
<p class="amount">{escape(format_rand(link.amount_cents))}</p>
<a class="leave" href="{escape(link.success_url)}">Go back</a>"""


def _page(content: str, *, status: int = 200) -> HTMLResponse:
    tokens = resources.load_tokens().css()
    return HTMLResponse(
        f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sandbox payment</title><style>{tokens}{_STYLE}</style></head>
<body><p class="play" role="note">Sandbox: no real money moves here.</p>
<main>{content}</main></body></html>""",
        status,
        headers=_HEADERS,
    )
