package emulator

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/tracking"
)

// serveTracking is MLflow at the root: of the run's workspace for a run's token, else of the workspace at birth. What tells nothing needs no token.
func (s *Server) serveTracking(w http.ResponseWriter, r *http.Request) {
	sc := s.opts.Scope
	var who caller
	if p := r.URL.Path; p != "/health" && p != "/version" {
		var err error
		if who, err = s.identify(r); err != nil {
			trackingError(w, err)
			return
		}
		if !who.full {
			sc = who.sc
		}
	}
	s.tracking.Handler(sc.Key(), tracking.HandlerOptions{User: callerName, RunLimit: who.run}).ServeHTTP(w, r)
}

// serveAzureTracking is MLflow as Azure has it, below a workspace's scope.
func (s *Server) serveAzureTracking(w http.ResponseWriter, r *http.Request, id arm.ID, rest string) {
	who, err := s.identify(r)
	if err != nil {
		trackingError(w, err)
		return
	}
	sc, ok := id.Scope()
	if ok {
		sc, ok = s.workspace(sc)
	}
	if !ok {
		trackingError(w, arm.NotFound("workspace", id.String()))
		return
	}
	if !who.full && who.sc.Key() != sc.Key() {
		trackingError(w, arm.Forbidden("The token of the run %q is for another workspace.", who.run))
		return
	}
	path, err := url.PathUnescape(rest)
	if err != nil {
		trackingError(w, arm.BadRequest("InvalidRequestUri", "the path cannot be read"))
		return
	}
	o := tracking.HandlerOptions{User: callerName, RunLimit: who.run}
	if inProcess(r.Context()) || strings.Contains(r.UserAgent(), "azureml-mlflow") {
		host := arm.APIHost
		if !inProcess(r.Context()) {
			host = r.Host
		}
		o.ArtifactURI = func(exp, run string) string {
			return "azureml://" + host + "/mlflow/v2.0" + sc.ID() + "/experiments/" + url.PathEscape(exp) + "/runs/" + run + "/artifacts"
		}
	}
	inner := place{path: path}
	if path != rest {
		inner.rawPath = rest
	}
	s.tracking.Handler(sc.Key(), o).ServeHTTP(w, inner.to(r))
}

// trackingError is a refusal in MLflow's form.
func trackingError(w http.ResponseWriter, err error) {
	e := arm.As(err)
	code := map[int]string{http.StatusUnauthorized: "UNAUTHENTICATED", http.StatusForbidden: "PERMISSION_DENIED", http.StatusNotFound: "RESOURCE_DOES_NOT_EXIST"}[e.Status]
	if code == "" {
		code = "BAD_REQUEST"
	}
	status, message := e.Status, e.Message
	if status == http.StatusUnsupportedMediaType { // as MLflow says it
		status, code, message = http.StatusBadRequest, "INVALID_PARAMETER_VALUE", "Bad Request. Content-Type must be one of ['application/json']."
	}
	b, err := encode(map[string]string{"error_code": code, "message": message})
	if err != nil {
		b = nil
	}
	e.Headers(w.Header())
	w.WriteHeader(status)
	_, _ = w.Write(b) // the caller has gone: nobody is left to tell
}
