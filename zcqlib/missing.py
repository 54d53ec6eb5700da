"""What a notebook says where only published data are there: the parts that need reports name what is missing, the rest
is shown as always."""

from __future__ import annotations

import ast

from zcqlib.tables import ZcqError

SENTENCE = "没有园区报表,这一项暂缺;收到报表放进 data/raw 下该月的文件夹后重新运行,即自动补上。"


class NoReportsError(ZcqError):
    """The month that was asked for has no report files."""


class _Guard(ast.NodeTransformer):
    """Each statement of a cell runs under an eye for `NoReportsError`."""

    def visit_Module(self, node: ast.Module) -> ast.Module:
        return ast.Module([self._guarded(s) for s in node.body], node.type_ignores)

    @staticmethod
    def _guarded(statement: ast.stmt) -> ast.stmt:
        if isinstance(
            statement, ast.Expr
        ):  # stays an expression, so that a cell still shows its last one
            guarded = ast.parse("_zcq_or_missing(lambda: 0)").body[0]
            guarded.value.args[0].body = statement.value
        else:
            inner = [
                c.target for c in ast.walk(statement) if isinstance(c, ast.comprehension)
            ]  # names of a comprehension are its own
            own = {n for target in inner for n in ast.walk(target)}
            names = [
                n.id
                for n in ast.walk(statement)
                if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) and n not in own
            ]
            code = f"try:\n 0\nexcept Exception as _zcq_error:\n _zcq_missing(_zcq_error, {names})"
            guarded = ast.parse(code).body[0]
            guarded.body = [statement]
        return ast.fix_missing_locations(ast.copy_location(guarded, statement))


def guard_cells(published_only: bool) -> None:
    """Guard, or no longer guard, the cells of the running notebook; outside a notebook nothing happens."""
    from IPython import get_ipython
    from IPython.display import Markdown, display

    if (shell := get_ipython()) is None:
        return
    shell.ast_transformers[:] = [t for t in shell.ast_transformers if not isinstance(t, _Guard)]
    if not published_only:
        return
    unset: set[str] = set()

    def missing(error: Exception, names: list[str]) -> None:
        if not (
            isinstance(error, NoReportsError)
            or isinstance(error, NameError)
            and error.name in unset
        ):
            raise error
        unset.update(names)
        for name in names:  # what an earlier cell called so is not what was asked for here
            shell.user_ns.pop(name, None)
        if not names:  # a value that is not there is told where it would have been shown
            display(Markdown(f"*{SENTENCE}*"))

    def or_missing(compute):
        try:
            return compute()
        except (NoReportsError, NameError) as e:
            return missing(e, [])

    shell.user_ns |= {"_zcq_missing": missing, "_zcq_or_missing": or_missing}
    shell.ast_transformers.append(_Guard())
