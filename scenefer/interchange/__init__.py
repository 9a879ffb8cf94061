"""Formats shared with other programs: scene lists, timelines, exports, subtitles."""
