"""What people do beside asking for jobs: leads, documents, projects, videos, and the choices about all."""

from functions.manage import documents, evaluations, exports, keys, leads, projects, settings, videos
from millrace import entry

routes = entry.Routes(
    leads.routes,
    documents.routes,
    evaluations.routes,
    projects.routes,
    videos.routes,
    exports.routes,
    settings.routes,
    keys.routes,
)

handler = entry.worker(fetch=routes)
