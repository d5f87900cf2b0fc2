"""The one style sheet of the HTML renderings; every rule is bound to the class ``kgrag``.

Text has a contrast of at least 4.5 to 1 on its ground. No font or image is loaded.
"""

from __future__ import annotations

from typing import Final

STYLE: Final = """
.kgrag-page{margin:0;background:#f4f5f7}
.kgrag{max-width:50rem;margin:0 auto;padding:1rem 1.25rem 2rem;background:#fff;color:#1b1f24;
font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere;
box-sizing:border-box}
.kgrag h1,.kgrag h2,.kgrag h3,.kgrag h4{line-height:1.3;margin:1.4em 0 .5em;color:#1b1f24}
.kgrag h1{font-size:1.45rem;margin-top:.3em}
.kgrag h2,.kgrag h3{font-size:1.15rem}
.kgrag h4{font-size:1.02rem}
.kgrag p{margin:.5em 0}
.kgrag .emergency{background:#8b1a1a;color:#fff;font-weight:600;padding:.8em 1em;
border-radius:.3rem}
.kgrag .warning{background:#fff4d6;color:#4a3500;border-left:.25rem solid #b07d00;
padding:.5em .8em}
.kgrag figure{margin:1em 0}
.kgrag blockquote{margin:0;padding:.3em 0 .3em .9em;border-left:.25rem solid #1f5fa8;
font-size:1.06rem;color:#1b1f24}
.kgrag .apart blockquote{border-left:.25rem dashed #6b7280;color:#3b434d;font-size:1rem}
.kgrag .label{font-weight:600;color:#7a3b00;margin:0 0 .3em}
.kgrag figcaption,.kgrag .small{font-size:.84rem;color:#4b5563;margin:.35em 0 0 1.2em;
line-height:1.45}
.kgrag .small{margin-left:0}
.kgrag table{width:100%;border-collapse:collapse;table-layout:fixed;margin:1.3em 0;
font-size:.97rem}
.kgrag caption{text-align:left;font-weight:600;padding:0 0 .45em;color:#1b1f24}
.kgrag th,.kgrag td{border:1px solid #c9ced6;padding:.5em .7em;text-align:left;
vertical-align:top;background:#fff;color:#1b1f24;white-space:normal}
.kgrag th{background:#eef1f5;font-weight:600}
.kgrag .sources th{width:32%}
.kgrag td p{margin:0}
.kgrag details{border-top:1px solid #d5d9e0;padding:.5em 0}
.kgrag summary{cursor:pointer;color:#1f4f8b;font-weight:600}
.kgrag ul{padding-left:1.3em;margin:.5em 0}
.kgrag .note{border:1px solid #c9ced6;border-radius:.3rem;padding:.8em 1em;margin:1em 0}
.kgrag mark{color:#1b1f24;padding:.05em .15em;border-radius:.2rem;
-webkit-box-decoration-break:clone;box-decoration-break:clone}
.kgrag mark.supported{background:#ddf3e0}
.kgrag mark.contradicted{background:#fbdcdc;text-decoration:underline wavy #a61b1b}
.kgrag mark.not_covered{background:#eef1f5}
.kgrag .verdict{display:inline-block;font-size:.74rem;font-weight:600;text-decoration:none;
border:1px solid #6b7280;border-radius:.6rem;padding:0 .45em;background:#fff;color:#1b1f24}
@media (max-width:34rem){
.kgrag{padding:.8rem .9rem 1.5rem}
.kgrag table,.kgrag tbody,.kgrag tr,.kgrag td,.kgrag th,.kgrag caption{display:block;width:auto}
.kgrag .sources th{width:auto;border-bottom:0}
.kgrag thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.kgrag td+td{border-top:0}
.kgrag td[data-head]::before{content:attr(data-head);display:block;font-weight:600;
margin-bottom:.35em}
.kgrag figcaption{margin-left:0}
}
@media print{.kgrag-page{background:#fff}.kgrag{max-width:none}}
"""
