"""What people do beside asking for a judgement: leads, their documents, and the choices about both."""

from functions.manage import documents, evaluations, keys, leads, settings
from millrace import entry

routes = entry.Routes(leads.routes, documents.routes, evaluations.routes, settings.routes, keys.routes)

handler = entry.worker(fetch=routes)
