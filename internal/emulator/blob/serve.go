package blob

import "net/http"

// ServeHTTP serves the blob service's REST protocol.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refused("This operation").write(w, r, s.now())
}
