import type { ReadyTokens } from '../tokens.js';

/** The service's OpenAPI document for reading and trying, with the tokens of this run at hand. */
export function apiPage(serviceUrl: string, sessionId: string, tokens: ReadyTokens): string {
  const settings = JSON.stringify({ serviceUrl, tokens }).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>admin-service API</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/swagger-ui/swagger-ui.css">
    <style>
      body { margin: 0; }
      nav { font: 1rem/1.5 system-ui, sans-serif; padding: 0.75rem 1.25rem; background: #f4f6f8; }
      nav label { margin-right: 1rem; }
    </style>
  </head>
  <body>
    <nav aria-label="Caller">
      Call as:
      <label><input type="radio" name="role" value="trainer" checked> trainer</label>
      <label><input type="radio" name="role" value="student"> student</label>
      <label><input type="radio" name="role" value="admin"> admin</label>
      of session <code>${sessionId}</code>
    </nav>
    <div id="api"></div>
    <script src="/swagger-ui/swagger-ui-bundle.js"></script>
    <script>
      const { serviceUrl, tokens } = ${settings};
      const role = () => document.querySelector('input[name=role]:checked').value;
      SwaggerUIBundle({
        url: serviceUrl + '/openapi.json',
        dom_id: '#api',
        deepLinking: true,
        tryItOutEnabled: true,
        displayRequestDuration: true,
        validatorUrl: null,
        requestInterceptor: (request) => {
          if (request.url.includes('/api/v1/') && !request.headers.Authorization) {
            request.headers.Authorization = 'Bearer ' + tokens[role()];
          }
          return request;
        },
      });
    </script>
  </body>
</html>
`;
}
