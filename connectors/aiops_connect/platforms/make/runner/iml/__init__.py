"""IML, Make's expression language: parsed, printed and evaluated.

Sources: "IML" and "Functions" in Make's developer and help documentation; where those are silent, the notes of Make
engineers that `docs/decisions/0015` names. `template.render` is the way in.
"""
