package tracking

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/azureml-go/azureml/internal/emulator/store"
	"github.com/azureml-go/azureml/internal/emulator/tracking/search"
)

// MLflow's error codes, as far as the service uses them.
const (
	InvalidParameter = "INVALID_PARAMETER_VALUE"
	BadRequest       = "BAD_REQUEST"
	DoesNotExist     = "RESOURCE_DOES_NOT_EXIST"
	AlreadyExists    = "RESOURCE_ALREADY_EXISTS"
	PermissionDenied = "PERMISSION_DENIED"
	NotImplemented   = "NOT_IMPLEMENTED"
	EndpointNotFound = "ENDPOINT_NOT_FOUND"
	InvalidState     = "INVALID_STATE"
	FeatureDisabled  = "FEATURE_DISABLED"
	InternalError    = "INTERNAL_ERROR"
)

// Error is a refusal in MLflow's words. errors.Is(err, store.ErrNotFound) holds
// for what does not exist.
type Error struct {
	Code    string
	Message string
	Status  int // defaults to the code's
	class   string
	detail  []byte // JSON that is told as {"detail": …} instead
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Is makes a missing thing a store.ErrNotFound.
func (e *Error) Is(target error) bool {
	return target == store.ErrNotFound && e.Code == DoesNotExist
}

func errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// detailed is a refusal as some of MLflow's routes have them: {"detail": …}.
func detailed(code string, status int, message string) *Error {
	return &Error{Code: code, Status: status, Message: message, detail: rawJSON(message)}
}

func invalidf(format string, args ...any) *Error { return errorf(InvalidParameter, format, args...) }

// codes are the HTTP status, the SQL state and the class of each code.
var codes = map[string]struct {
	status       int
	state, class string
}{
	InvalidParameter: {http.StatusBadRequest, "KAM00", "INVALID_PARAMETER_VALUE"},
	BadRequest:       {http.StatusBadRequest, "KAM00", "INVALID_PARAMETER_VALUE"},
	DoesNotExist:     {http.StatusNotFound, "KAM00", "RESOURCE_NOT_FOUND"},
	AlreadyExists:    {http.StatusBadRequest, "KAM00", "RESOURCE_ALREADY_EXISTS"},
	PermissionDenied: {http.StatusForbidden, "KAM00", "PERMISSION_DENIED"},
	EndpointNotFound: {http.StatusNotFound, "KAM00", "RESOURCE_NOT_FOUND"},
	NotImplemented:   {http.StatusNotImplemented, "", ""},
	InvalidState:     {http.StatusInternalServerError, "XXM00", "CLIENT_INTERNAL_ERROR"},
	FeatureDisabled:  {http.StatusInternalServerError, "KAM00", "FEATURE_DISABLED"},
	InternalError:    {http.StatusInternalServerError, "XXM00", "CLIENT_INTERNAL_ERROR"},
}

// asError finds the refusal in err. Faults of filters are refusals; whatever else
// is the service's own failure.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*search.Error](err); ok {
		return invalidf("%s", e.Message)
	}
	return errorf(InternalError, "%s", err)
}

// body is the answer's JSON.
func (e *Error) body() []byte {
	if e.detail != nil {
		return rawJSON(map[string]json.RawMessage{"detail": e.detail})
	}
	c := codes[e.Code]
	doc := struct {
		Code    string `json:"error_code"`
		Message string `json:"message"`
		State   string `json:"sqlstate,omitempty"`
		Class   string `json:"error_class,omitempty"`
	}{e.Code, e.Message, c.state, c.class}
	if e.class != "" {
		doc.Class, doc.State = e.class, "KAM04"
	}
	return rawJSON(doc)
}

func (e *Error) status() int {
	if e.Status != 0 {
		return e.Status
	}
	if c, ok := codes[e.Code]; ok {
		return c.status
	}
	return http.StatusInternalServerError
}
