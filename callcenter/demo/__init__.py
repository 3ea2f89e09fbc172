"""Demo data for a first look: two invented shops whose calls go to the simulators, with a past and a near future.

`setting` makes the companies, people and lines; `stories` is the table of call requests; `history` plays them through
the real services; `helpdesk` makes who and what answers conversations, and a few of those, `desk` what calls and mails
lead to; `access` keeps the logins; `greeting` is what `bin/run` prints.
"""
