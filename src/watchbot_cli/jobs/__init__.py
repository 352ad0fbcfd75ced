"""``watchbot jobs``: how recent jobs ended, as CloudWatch Logs Insights finds it in the log."""
