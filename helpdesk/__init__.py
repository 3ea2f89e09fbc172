"""Atendimentos: the conversations of the call centre."""
