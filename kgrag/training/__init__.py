"""Training on a user's own questions: ``kgrag train retriever`` (``kgrag.training.retriever``).

Passages keep the vectors they have; what is learnt is a small change of the vectors of questions
(``kgrag.encoding.adapted``). Needs the extras ``models`` and ``index``.
"""
