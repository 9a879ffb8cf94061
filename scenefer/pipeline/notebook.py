"""An analysis for notebooks: with figures and a table of its scenes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from html import escape
from typing import TYPE_CHECKING

from scenefer.analysis import result
from scenefer.analysis.scene_views import SCREEN_TIME
from scenefer.comparison.agreement import leading
from scenefer.core.errors import PlanError, SceneferError
from scenefer.core.schema import EMOTIONS
from scenefer.core.text import did_you_mean, printable
from scenefer.pipeline.run_comparison import compared_with_intentions

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

FIGURES = ("arc", "scenes", "confusion")


@dataclass(frozen=True, repr=False)
class Analysis(result.Analysis):
    """A film's tables, each a DataFrame, and its record; ``scenefer schema`` prints the columns of every table."""

    def figure(self, kind: str) -> go.Figure:
        """Draw the film's arc, its scenes, or the confusion matrix of intended and detected expressions.

        Args:
            kind: ``"arc"``, ``"scenes"`` or ``"confusion"``.

        Raises:
            PlanError: there is no such figure.
            SceneferError: for ``"confusion"``: there are no intentions for the scenes.
        """
        from scenefer.report import notebook_figures

        if kind == "arc":
            return notebook_figures.arc(self)
        if kind == "scenes":
            return notebook_figures.scenes(self)
        if kind != "confusion":
            raise PlanError(f"there is no figure {kind!r}; known: {', '.join(FIGURES)}; {did_you_mean(kind, FIGURES)}")
        compared = compared_with_intentions(self)
        if compared is None:
            raise SceneferError(
                "nothing says what the scenes were meant to show, so there is no confusion; analyze with intended=SHEET"
            )
        return notebook_figures.confusion(compared)

    def scene_table(self) -> pd.DataFrame:
        """Return one row per scene: name, start, end (s), evidence, percentages by screen time; verdicts if compared.

        Percentages are NaN if there is too little evidence. If a scene has several intentions, ``intended`` and
        ``verdict`` list all of them.
        """
        own = self.scene_emotions.loc[self.scene_emotions["view"] == SCREEN_TIME]
        shares = own.pivot(index="scene", columns="emotion", values="percent").reindex(columns=list(EMOTIONS))
        evidence = own.drop_duplicates("scene").set_index("scene")[["evidence", "coverage"]]
        table = self.scenes.set_index("scene")[["name", "start", "end"]].join(evidence).join(shares)
        if self.comparison is not None:
            view = str(self.run.get("settings", {}).get("comparison", {}).get("view", SCREEN_TIME))
            table = table.join(_verdicts(self.comparison, view))
        return table

    def __repr__(self) -> str:
        counts = f"{len(self.scenes)} scenes, {len(self.shots)} shots, {len(self.faces)} faces"
        tables = ", ".join(name for name, table in vars(self).items() if hasattr(table, "columns"))
        return f"<scenefer.Analysis of {printable(self.film.path.name)}: {counts}; tables: {tables}>"

    def _repr_html_(self) -> str:
        table = self.scene_table().reset_index(drop=True)
        written = table.to_html(index=False, na_rep="–", float_format=lambda value: f"{value:.1f}", border=0)
        warnings = "".join(f"<li>{escape(printable(said))}</li>" for said in self.run.get("warnings", ()))
        head = f"<b>{escape(printable(self.film.path.name))}</b>: detected facial expression, % of face time"
        return f"<p>{head}</p>{written}" + (f"<ul>{warnings}</ul>" if warnings else "")


def shown(analysis: result.Analysis) -> Analysis:
    """Add the notebook's figures and scene table to an analysis; its tables are not copied."""
    return Analysis(**{entry.name: getattr(analysis, entry.name) for entry in fields(analysis)})


def _verdicts(comparison: pd.DataFrame, view: str) -> pd.DataFrame:
    """Return per scene what was intended, and the verdict or the reason why there is none."""
    rows = leading(comparison, view)
    rows = rows.loc[rows["intended"].notna()]
    words = rows.assign(verdict=rows["verdict"].fillna(rows["why"]))
    return words.groupby("scene")[["intended", "verdict"]].agg(lambda said: " · ".join(map(str, said)))
