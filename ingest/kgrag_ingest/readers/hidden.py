"""Text that a page keeps from the eye by its styles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

_COMMENT: Final = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_LENGTH: Final = re.compile(r"(-?\d*\.?\d+)(px|r?em|ex|ch|pt|cm|mm|in|v[wh]|%)?(?=[\s,)]|\Z)")
# Of a selector that names elements by tag, class, id and place alone.
_STATIC: Final = re.compile(r"[\w\s.#>*+~,\[\]=\"'-]+")
# Pixels of a unit; a per cent or a part of the window is taken of a small screen.
_PIXELS: Final = {
    "px": 1.0, "": 1.0, "pt": 1.33, "em": 16.0, "rem": 16.0, "ex": 8.0, "ch": 8.0, "cm": 38.0,
    "mm": 3.8, "in": 96.0, "vw": 8.0, "vh": 6.0, "%": 8.0,
}  # fmt: skip
_FAR: Final = -400.0  # pixels: left of or above any page
_TINY: Final = 2.0  # pixels
_CLEAR: Final = 0.05
_COLOURS: Final = {
    "black": "000000", "white": "ffffff", "red": "ff0000", "green": "008000", "blue": "0000ff",
    "yellow": "ffff00", "gray": "808080", "grey": "808080", "silver": "c0c0c0",
}  # fmt: skip
_RULES: Final = 20_000  # of a page's own style sheets; pages have hundreds


def never_seen(node: LexborNode) -> bool:
    """Whether the element's own ``style`` keeps it from being seen: moved off the page, of no size,
    transparent, in the colour of its own ground, or not displayed."""
    style = node.attributes.get("style")
    if not style:
        return False
    said = _declared(style)
    return _disguised(said) or _put_away(said) or (_shrunk(said) and _leaf(node))


def mark_unseen(tree: LexborHTMLParser) -> None:
    """Sets the attribute ``hidden`` of the elements that the page's own style sheets keep from the
    eye.

    Where the page has scripts, what is only not displayed may be unfolded by them and stays. Rules
    for some screens (``@media``) and for a moment (``:hover``) are left aside.
    """
    folds = tree.css_first("script") is None
    sheets = "\n".join(node.text() for node in tree.css("style"))
    trial = LexborHTMLParser("<p></p>")
    selectors: dict[str, list[str]] = {}
    for selector, said in _rules(sheets):
        for way, holds in _WAYS.items():
            if holds(said) and (folds or way != "folded") and _valid(trial, selector):
                selectors.setdefault(way, []).append(selector)
                break
    for way, chosen in selectors.items():
        for node in tree.css(", ".join(chosen)):
            if node.tag not in ("html", "body") and (way != "shrunk" or _leaf(node)):
                node.attrs["hidden"] = ""


def _valid(trial: LexborHTMLParser, selector: str) -> bool:
    try:
        trial.css(selector)
    except SelectolaxError:
        return False  # no browser would apply the rule either
    return True


def _leaf(node: LexborNode) -> bool:
    # An element of no letter size may hold others that set their own: a way to close gaps.
    return not any(True for _ in node.iter())


def _rules(sheet: str) -> Iterator[tuple[str, dict[str, str]]]:
    """(selector, declarations) of the rules that hold at any time on any screen."""
    text, at, count = _COMMENT.sub(" ", sheet), 0, 0
    while count < _RULES and (opens := text.find("{", at)) >= 0:
        head = text[at:opens].rsplit(";", 1)[-1].strip()
        depth, end = 1, opens + 1
        while depth:
            closes = text.find("}", end)
            if closes < 0:
                return
            depth += text.count("{", end, closes) - 1
            end = closes + 1
        if head and not head.startswith("@") and _STATIC.fullmatch(head):
            yield head, _declared(text[opens + 1 : end - 1])
        at, count = end, count + 1


def _declared(style: str) -> dict[str, str]:
    found = {}
    for part in style.lower().split(";"):
        name, colon, value = part.partition(":")
        if colon:
            found[name.strip()] = value.replace("!important", "").strip()
    return found


def _put_away(said: dict[str, str]) -> bool:
    """Not displayed, as what a click unfolds is too."""
    return (
        said.get("display") == "none"
        or said.get("visibility") in ("hidden", "collapse")
        or said.get("content-visibility") == "hidden"
        or ("hidden" in said.get("overflow", "") and _flat(said))
        or _opacity(said.get("opacity", "")) < _CLEAR
    )


def _disguised(said: dict[str, str]) -> bool:
    """Displayed where, or so that, nobody sees it."""
    place = said.get("position")
    for side in ("left", "top", "right", "bottom"):
        # Columns are laid out by relative parts of the page.
        off = place in ("absolute", "fixed") or (
            place == "relative" and "%" not in said.get(side, "")
        )
        if off and _pixels(said.get(side, "")) <= _FAR:
            return True
    if _pixels(said.get("text-indent", "")) <= _FAR:
        return True
    if re.search(r"\bscale(?:3d|x|y)?\(\s*0?\.?0*\s*[,)]", said.get("transform", "")):
        return True
    clip = said.get("clip", "") + " " + said.get("clip-path", "")
    if re.search(r"rect\(\s*[01](?:px)?[\s,]+[01](?:px)?[\s,]|inset\(\s*(?:[5-9]\d|100)%", clip):
        return True
    return _in_its_ground(said)


def _shrunk(said: dict[str, str]) -> bool:
    return 0 <= _pixels(said.get("font-size", ""), none=99.0) < _TINY


def _flat(said: dict[str, str]) -> bool:
    names = ("width", "height", "max-width", "max-height")
    return any(0 <= _pixels(said.get(name, ""), none=99.0) < _TINY for name in names)


def _in_its_ground(said: dict[str, str]) -> bool:
    """The text has no colour, or that of what is behind it."""
    colour = _colour(said.get("color", ""))
    ground = said.get("background-color") or said.get("background", "")
    return colour == "" or (colour is not None and colour == _colour(ground))


def _colour(value: str) -> str | None:
    """Six hexadecimal digits; "" for what lets everything through, None for what is not read."""
    value = _COLOURS.get(value, value)
    if value == "transparent" or re.fullmatch(r"rgba\([^)]*,\s*0?\.?0+\s*\)", value):
        return ""
    if hexadecimal := re.fullmatch(r"#?([0-9a-f]{6}|[0-9a-f]{3})", value):
        digits = hexadecimal[1]
        return digits if len(digits) == 6 else "".join(2 * d for d in digits)
    if parts := re.fullmatch(r"rgb\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})\s*\)", value):
        return "".join(f"{min(255, int(n)):02x}" for n in parts.groups())
    return None


def _pixels(value: str, *, none: float = 0.0) -> float:
    """A length in pixels, roughly; ``none`` when the value is no length."""
    length = _LENGTH.match(value)
    return float(length[1]) * _PIXELS[length[2] or ""] if length else none


def _opacity(value: str) -> float:
    """1 for what is seen whole, and for what is no opacity."""
    length = _LENGTH.match(value)
    return float(length[1]) / (100 if length[2] == "%" else 1) if length else 1.0


_WAYS: Final = {"disguised": _disguised, "folded": _put_away, "shrunk": _shrunk}
