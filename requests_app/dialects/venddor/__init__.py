"""Venddor's Call Requests API 2.0: whole objects with instants, a priority and an assignee."""
