"""The one place that keeps options which need no conversion out of typer's, whose pydantic takes 0.07 s to import."""

from typing import Any

from typer.core import TyperCommand


class LightCommand(TyperCommand):
    """A command whose absent, textual and default values are taken as they are; the others are converted by typer."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's own class is private
        """Parse the arguments of one call."""
        lighten(self, ctx)
        return super().parse_args(ctx, args)


def lighten(command: Any, ctx: Any) -> None:  # noqa: ANN401 - as above
    """Make the options of a command (or group) convert only what needs it."""
    for param in command.get_params(ctx):
        if hasattr(param, "type_descriptor"):
            param.process_value = _Light(param)


class _Light:
    """In place of ``process_value``: the one seam that typer leaves."""

    def __init__(self, param: Any) -> None:  # noqa: ANN401 - as above
        self._param = param
        self._many = param.multiple or param.nargs == -1

    def __call__(self, ctx: Any, value: Any) -> Any:  # noqa: ANN401 - what the parser gave
        param = self._param
        if param.required or not self._is_plain(value):
            return type(param).process_value(param, ctx, value)
        if value is None:
            value = () if self._many else None
        return value if param.callback is None else param.callback(ctx, param, value)

    def _is_plain(self, value: Any) -> bool:  # noqa: ANN401 - as above
        annotation = self._param.type_descriptor.annotation
        if value is None:
            return True
        if isinstance(value, str):
            return not self._many and (annotation is str or value == self._param.default)
        return annotation == list[str] and isinstance(value, (list, tuple))
