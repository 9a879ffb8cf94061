"""Faces read while they are before the camera: on the set, in rehearsal.

    source ──grab──▶ slot ──read──▶ board ──▶ terminal, page
                                 ╰──▶ recording

Each arrow is a thread of its own. Between two of them lies the latest item alone: what nobody has taken in time is
dropped, so that a slow reader or viewer sees fewer pictures, never older ones.
"""
