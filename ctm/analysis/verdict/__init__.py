"""The verdict: every criterion and expected figure of the specification beside what the run found."""
