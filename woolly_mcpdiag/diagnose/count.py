"""The one place for numbers that agree with their words."""


class Count(int):
    """A number that is written with its noun or verb in the right form.

    ``f"{Count(1):call was|calls were} lost"`` is "1 call was lost"; ``f"{Count(2):~it was|they were}"`` leaves the
    number out: "they were". Without a form it is the number alone.
    """

    def __format__(self, forms: str) -> str:
        """Return the number and the form before the bar for one, after it for any other number."""
        one, bar, many = forms.removeprefix("~").partition("|")
        if not bar:
            return format(int(self), forms)
        form = one if self == 1 else many
        return form if forms.startswith("~") else f"{int(self)} {form}"
