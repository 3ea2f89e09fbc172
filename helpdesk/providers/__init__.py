"""What answers as IA (`AtendenteIA`): one folder an assistant, behind the interface in `base.py`."""
