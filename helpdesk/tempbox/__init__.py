"""The TempBox API: `POST /api/Atendimento/<Metodo>?token=…&json=…`, 32 methods over the helpdesk's services.

Source: https://api.tempbox.com.br/referencias/atendimento
"""
