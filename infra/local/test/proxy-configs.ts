/** The least configuration with which each gateway passes requests on to an upstream on 127.0.0.1. */
export const proxyConfigs = {
  nginx: (upstream: number): string => `
events {}
http {
  server {
    listen 127.0.0.1:{{port}};
    location / { proxy_pass http://127.0.0.1:${upstream}; }
  }
}`,

  caddy: (upstream: number): string => `
http://127.0.0.1:{{port}} {
  reverse_proxy 127.0.0.1:${upstream}
}`,

  haproxy: (upstream: number): string => `
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend in
  bind 127.0.0.1:{{port}}
  default_backend out
backend out
  server one 127.0.0.1:${upstream}`,

  envoy: (upstream: number): string => `
static_resources:
  listeners:
    - address: { socket_address: { address: 127.0.0.1, port_value: {{port}} } }
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: in
                route_config:
                  virtual_hosts:
                    - name: all
                      domains: ["*"]
                      routes: [{ match: { prefix: / }, route: { cluster: out } }]
                http_filters:
                  - name: envoy.filters.http.router
                    typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
  clusters:
    - name: out
      type: STATIC
      load_assignment:
        cluster_name: out
        endpoints:
          - lb_endpoints:
              - endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: ${upstream} } } }`,
};
