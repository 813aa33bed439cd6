"""Numbers with the bounds that settings have: a type for each sort of number, which pydantic checks.

A setting that says `learning_rate: Rate` is refused where it is negative, infinite or no number, when the workflow is
planned and when a program is called by hand; schema and config page show its bounds. Upper bounds are far beyond
anything that was meant: they are there against slips of the pen, and against infinity.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Count = Annotated[int, Field(ge=1, le=10**12)]
"""How many, at least one."""
Amount = Annotated[int, Field(ge=0, le=10**12)]
"""How many; 0 mostly means none, or no limit."""
Few = Annotated[int, Field(ge=1, le=4096)]
"""How many of what is few: ticks, layers, heads, processes."""
FewOrNone = Annotated[int, Field(ge=0, le=4096)]
"""The same, or none."""
Lines = Annotated[int, Field(ge=1, le=64)]
"""Lines of code; the grid has 64 rows."""
Groups = Annotated[int, Field(ge=2, le=4096)]
"""How many parts, where one would be none."""
Dpi = Annotated[int, Field(ge=10, le=1200)]
"""Dots per inch: below, a plot has no room for its letters; beyond, it is a picture of gigabytes that no page shows."""
Width = Annotated[int, Field(ge=1, le=1_000_000)]
"""A width or another size of the model."""
Shards = Annotated[int, Field(ge=1, le=10_000)]
"""Jobs that share a step's work; planning takes 5 s at 5,000."""
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
"""What random numbers begin with: NumPy's and scikit-learn's may have 32 bits."""
Percent = Annotated[int, Field(ge=0, le=100)]
"""A share in percent."""
Seconds = Annotated[int, Field(ge=1, le=10**8)]
"""A time limit."""
Wait = Annotated[float, Field(ge=0, le=10**8)]
"""How long something waits, seconds."""
Limit = Annotated[float, Field(gt=0, le=10**8)]
"""A time limit with fractions, seconds."""
Gigabytes = Annotated[int, Field(ge=1, le=1_000_000)]
"""Memory that something needs, GB."""
GigabytesOrNone = Annotated[int, Field(ge=0, le=1_000_000)]
"""Memory that something may need, GB."""
GpuPercent = Annotated[int, Field(ge=0, le=6_400)]
"""A share of the accelerator, percent; of several, 100 each."""
Megabytes = Annotated[int, Field(ge=1, le=10**9)]
"""A size, MB."""

Share = Annotated[float, Field(ge=0, le=1)]
"""A share, a probability."""
Part = Annotated[float, Field(ge=0, lt=1)]
"""A share of which something has to be left: dropout, the decay of an average, what may be lost."""
PositiveShare = Annotated[float, Field(gt=0, le=1)]
"""A share that is not nothing."""
Inside = Annotated[float, Field(gt=0, lt=1)]
"""A share that is neither nothing nor all."""
Rate = Annotated[float, Field(gt=0, le=10)]
"""A learning rate."""
PerThousand = Annotated[float, Field(gt=0, le=1000)]
"""How many of a thousand."""
Factor = Annotated[float, Field(gt=0, le=1_000_000)]
"""What something is multiplied with, or bounded by."""
Weight = Annotated[float, Field(ge=0, le=1_000_000)]
"""How much something counts; 0: not at all."""

Price = Annotated[float, Field(ge=0, le=1_000_000)]
"""What something costs, in a currency that is named elsewhere."""

Text = Annotated[str, Field(min_length=1)]
"""Text that is not empty."""
Address = Annotated[str, Field(pattern=r"^https?://[^\s/]")]
"""An address of the web."""
Device = Annotated[str, Field(pattern=r"^(auto|cpu|mps|(cuda|xpu)(:\d+)?)$")]
"""Where tensors are computed: "auto", or what torch calls a device (ROCm's are called cuda)."""
