package mlflow

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/azureml-go/azureml"
)

// What a user asks with errors.Is: the module's sentinels, under this package's name too. The exact word of
// the server is Error.Code.
var (
	ErrNotFound     = azureml.ErrNotFound
	ErrExists       = azureml.ErrConflict
	ErrInvalid      = azureml.ErrInvalid
	ErrUnauthorized = azureml.ErrUnauthorized
	ErrForbidden    = azureml.ErrForbidden
	ErrThrottled    = azureml.ErrThrottled
	ErrUnavailable  = azureml.ErrUnavailable
	// ErrUnsupported is a call that this server does not have: logged models on Azure Machine Learning,
	// for instance.
	ErrUnsupported = errors.ErrUnsupported
	// ErrOutcomeUnknown is a call that may or may not have been done: its request was sent, its answer was
	// lost, and doing it twice would make two things.
	ErrOutcomeUnknown = azureml.ErrOutcomeUnknown
)

// Codes of MLflow's REST API that a caller may meet.
const (
	CodeBadRequest       = "BAD_REQUEST"
	CodeInvalidParameter = "INVALID_PARAMETER_VALUE"
	CodeAlreadyExists    = "RESOURCE_ALREADY_EXISTS"
	CodeDoesNotExist     = "RESOURCE_DOES_NOT_EXIST"
	CodeEndpointNotFound = "ENDPOINT_NOT_FOUND"
	CodeNotImplemented   = "NOT_IMPLEMENTED"
	CodeUnauthenticated  = "UNAUTHENTICATED"
	CodePermissionDenied = "PERMISSION_DENIED"
	CodeLimitExceeded    = "REQUEST_LIMIT_EXCEEDED"
	CodeInternal         = "INTERNAL_ERROR"
	CodeUnavailable      = "TEMPORARILY_UNAVAILABLE"
)

// Error is an answer that refuses a call. An *azcore.ResponseError is reached through it by errors.As.
type Error struct {
	Op         string // the call and its resource: `get run "x"`
	Status     int    // HTTP status
	Code       string // MLflow's name of the fault, or the service's
	Message    string
	RetryAfter time.Duration // 0 when the server did not say

	response *azcore.ResponseError
}

func (e *Error) Error() string {
	s := "mlflow: " + e.Op + ": " + e.Code
	if e.Message != "" {
		s += ": " + e.Message
	}
	return fmt.Sprintf("%s (HTTP %d)", s, e.Status)
}

// Unwrap gives the *azcore.ResponseError of the answer.
func (e *Error) Unwrap() error {
	if e.response == nil {
		return nil
	}
	return e.response
}

// Is makes errors.Is(err, ErrNotFound) and its like true.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrNotFound:
		return e.Code == CodeDoesNotExist || e.Code == "NOT_FOUND" || e.Status == http.StatusNotFound && !e.unsupported()
	case ErrExists:
		return e.Code == CodeAlreadyExists || e.Code == "ALREADY_EXISTS" || e.Code == "RESOURCE_CONFLICT"
	case ErrInvalid:
		return e.Code == CodeInvalidParameter || e.Code == CodeBadRequest || e.Code == "MALFORMED_REQUEST"
	case ErrUnauthorized:
		return e.Status == http.StatusUnauthorized
	case ErrForbidden:
		return e.Status == http.StatusForbidden
	case ErrThrottled:
		return e.Status == http.StatusTooManyRequests
	case ErrUnavailable:
		return e.Status >= 500 && e.Status != http.StatusNotImplemented
	case ErrUnsupported:
		return e.unsupported()
	}
	return false
}

func (e *Error) unsupported() bool {
	return e.Code == CodeEndpointNotFound || e.Code == CodeNotImplemented || e.Code == "FEATURE_DISABLED" ||
		e.Status == http.StatusNotImplemented || e.Status == http.StatusMethodNotAllowed
}

// maxMessage bounds what an error keeps of a body that is not MLflow's (a proxy's page).
const maxMessage = 2000

var pageTitle = regexp.MustCompile(`(?is)^<.*<title>\s*([^<]*?)\s*</title>`)

// newError reads a refusal in any of the shapes that servers use: MLflow's {error_code, message},
// run history's {error: {code, message, innerError}}, or no JSON at all.
func newError(op string, resp *http.Response, body []byte) *Error {
	e := &Error{Op: op, Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header, time.Now())}
	var shape struct {
		Code    json.RawMessage `json:"error_code"`
		Message string          `json:"message"`
		Error   *struct {
			Code    string `json:"code"`
			Message string `json:"message"`
			Inner   *inner `json:"innerError"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &shape) == nil && (shape.Code != nil || shape.Error != nil || shape.Message != "") {
		e.Message = shape.Message
		e.Code = errorCode(shape.Code)
		if shape.Error != nil {
			e.Message = shape.Error.Message
			if e.Code == "" {
				e.Code = shape.Error.Inner.last(shape.Error.Code)
			}
		}
	} else {
		e.Message = strings.ToValidUTF8(strings.TrimSpace(string(body)), "�")
		if m := pageTitle.FindStringSubmatch(e.Message); m != nil {
			e.Message = m[1] // of a server's or proxy's page
		}
		if len(e.Message) > maxMessage {
			e.Message = strings.ToValidUTF8(e.Message[:maxMessage], "") + "…"
		}
	}
	if e.Code == "" {
		e.Code = statusCode(resp.StatusCode)
	}
	e.response = &azcore.ResponseError{ErrorCode: e.Code, StatusCode: resp.StatusCode, RawResponse: resp}
	return e
}

type inner struct {
	Code  string `json:"code"`
	Inner *inner `json:"innerError"`
}

// last is the innermost code, the most exact one, but only where it is one of MLflow's: run history's
// own (UserError, BadArgument) say less than the outer.
func (i *inner) last(outer string) string {
	for ; i != nil; i = i.Inner {
		if mapped, ok := runHistoryCodes[i.Code]; ok {
			outer = mapped
		}
	}
	if mapped, ok := runHistoryCodes[outer]; ok {
		outer = mapped
	}
	return outer
}

// runHistoryCodes gives MLflow's names to Azure's faults, so that one errors.Is serves both.
var runHistoryCodes = map[string]string{
	"NotFound": CodeDoesNotExist, "ResourceNotFound": CodeDoesNotExist, "NotFoundError": CodeDoesNotExist,
	"Conflict": CodeAlreadyExists, "AlreadyExists": CodeAlreadyExists,
	"BadArgument": CodeInvalidParameter, "Invalid": CodeInvalidParameter, "ValidationError": CodeInvalidParameter,
	"AuthorizationError": CodePermissionDenied, "AuthorizationFailed": CodePermissionDenied,
}

// errorCode reads the name; a number is an HTTP status to MLflow's own client, so it is one here.
func errorCode(raw json.RawMessage) string {
	var name string
	if json.Unmarshal(raw, &name) == nil {
		return name
	}
	if n, err := strconv.Atoi(string(raw)); err == nil {
		return statusCode(n)
	}
	return ""
}

// statusCode is the name of an HTTP status when the body says nothing, as MLflow's client maps it.
func statusCode(status int) string {
	switch status {
	case 400:
		return CodeBadRequest
	case 401:
		return CodeUnauthenticated
	case 403:
		return CodePermissionDenied
	case 404, 405:
		return CodeEndpointNotFound
	case 409:
		return "ALREADY_EXISTS"
	case 413:
		return "MALFORMED_REQUEST"
	case 429:
		return "RESOURCE_EXHAUSTED"
	case 499:
		return "CANCELLED"
	case 501:
		return CodeNotImplemented
	case 503:
		return CodeUnavailable
	case 504:
		return "DEADLINE_EXCEEDED"
	}
	return CodeInternal
}

// retryAfter reads the wait that a server asks for: milliseconds as Azure gives them, seconds, or a date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	for _, name := range []string{"retry-after-ms", "x-ms-retry-after-ms"} {
		if ms, err := strconv.ParseInt(h.Get(name), 10, 64); err == nil && ms >= 0 {
			return time.Duration(ms) * time.Millisecond
		}
	}
	v := h.Get("Retry-After")
	if s, err := strconv.ParseInt(v, 10, 32); err == nil && s >= 0 {
		return time.Duration(s) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}

// fault is a refusal made here, before anything was sent.
func fault(op, format string, args ...any) error {
	return &localError{op: op, msg: fmt.Sprintf(format, args...)}
}

type localError struct{ op, msg string }

func (e *localError) Error() string        { return "mlflow: " + e.op + ": " + e.msg }
func (e *localError) Is(target error) bool { return target == ErrInvalid }
