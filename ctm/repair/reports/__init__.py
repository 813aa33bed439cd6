"""What `ctm-repair fix` prints: one module a format, all of them from one record of a finding."""
