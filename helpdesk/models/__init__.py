"""The tables of the helpdesk."""

from helpdesk.models.agenda import Appointment, SpecialDay, WorkingHours
from helpdesk.models.atendimentos import Atendimento, Tag, Transfer
from helpdesk.models.bots import BotFlow, FlowOption, FlowStep, KnowledgeArticle
from helpdesk.models.channels import ApiToken, Channel, WireCode
from helpdesk.models.messages import Attachment, CannedMessage, Message, ReplyDraft, ScheduledMessage
from helpdesk.models.occurrences import Occurrence
from helpdesk.models.people import Attendant, AttendantPause, Contact, ContactAddress, Customer, Team, TeamMember
from helpdesk.models.settings import CompanyCounter, HelpdeskSettings, InstallationCounter

__all__ = [
    "ApiToken",
    "Appointment",
    "Atendimento",
    "Attachment",
    "Attendant",
    "AttendantPause",
    "BotFlow",
    "CannedMessage",
    "Channel",
    "CompanyCounter",
    "Contact",
    "ContactAddress",
    "Customer",
    "FlowOption",
    "FlowStep",
    "HelpdeskSettings",
    "InstallationCounter",
    "KnowledgeArticle",
    "Message",
    "Occurrence",
    "ReplyDraft",
    "ScheduledMessage",
    "SpecialDay",
    "Tag",
    "Team",
    "TeamMember",
    "Transfer",
    "WireCode",
    "WorkingHours",
]
