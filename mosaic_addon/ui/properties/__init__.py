"""The panels Properties and Information."""
