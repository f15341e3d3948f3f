package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml"
)

// Error is an answer that is no success, or the end of an operation that failed. Its text begins with the call and the
// resource and ends with what the service said in the innermost place. errors.As finds the *azcore.ResponseError.
type Error struct {
	Op        string // `jobs: get "x"`
	Status    int    // HTTP status; that of the poll when an operation failed
	Code      string // the service's code
	Message   string // the innermost message, redacted
	RequestID string // x-ms-request-id
	Unknown   bool   // the call may have taken effect all the same
	response  *azcore.ResponseError
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op)
		b.WriteString(": ")
	}
	if e.Status >= 400 {
		b.WriteString(strconv.Itoa(e.Status))
		b.WriteByte(' ')
	}
	switch {
	case e.Code != "":
		b.WriteString(e.Code)
	case e.Status >= 400:
		b.WriteString(http.StatusText(e.Status))
	default:
		b.WriteString("failed")
	}
	if e.Message != "" && e.Message != e.Code {
		b.WriteString(": ")
		b.WriteString(e.Message)
	}
	if e.Unknown {
		b.WriteString(" (the outcome is unknown: the call may have taken effect, it was not sent again)")
	}
	if e.RequestID != "" {
		b.WriteString(" (request ")
		b.WriteString(e.RequestID)
		b.WriteByte(')')
	}
	return b.String()
}

// Unwrap gives the *azcore.ResponseError.
func (e *Error) Unwrap() error {
	if e.response == nil {
		return nil
	}
	return e.response
}

// Is reports the sentinel of the status, and ErrOutcomeUnknown.
func (e *Error) Is(target error) bool {
	if target == azureml.ErrOutcomeUnknown {
		return e.Unknown
	}
	kind := azureml.StatusError(e.Status)
	return kind != nil && errors.Is(kind, target)
}

// WithOp is err with op in front. It changes nothing of what errors.Is and errors.As find.
func WithOp(op string, err error) error {
	if err == nil || op == "" {
		return err
	}
	return fmt.Errorf("%s: %w", op, err)
}

// newError makes the error of an answer. It reads and closes the body.
func newError(op string, resp *http.Response, unknown bool) error {
	body, err := runtime.Payload(resp)
	if err != nil {
		body = nil // the status says enough
	}
	body = []byte(redactText(string(body)))
	clean := *resp
	clean.Request = cleanRequest(resp.Request)
	clean.Header = resp.Header.Clone()
	for _, h := range []string{"Location", "Azure-Asyncoperation", "Set-Cookie"} {
		if v := clean.Header.Get(h); v != "" {
			clean.Header.Set(h, redactText(v))
		}
	}
	clean.Body = io.NopCloser(bytes.NewReader(body))
	e := &Error{Op: op, Status: resp.StatusCode, RequestID: resp.Header.Get("X-Ms-Request-Id"), Unknown: unknown}
	e.Code, e.Message = innermost(body)
	if e.Code == "" {
		e.Code = resp.Header.Get("X-Ms-Error-Code")
	}
	if e.Message == "" {
		e.Message = plain(body, resp.Header.Get("Content-Type"))
	}
	rerr := runtime.NewResponseErrorWithErrorCode(&clean, e.Code)
	if !errors.As(rerr, &e.response) {
		return WithOp(op, rerr)
	}
	return e
}

// serviceError is the union of the shapes that ARM and the data-plane services put an error in.
type serviceError struct {
	Code       string          `json:"code"`
	Message    string          `json:"message"`
	Target     string          `json:"target"`
	Details    []*serviceError `json:"details"`
	InnerError *serviceError   `json:"innerError"`
}

// innermost finds the code at the top and the messages at the ends of an error document.
func innermost(body []byte) (code, message string) {
	e := parseError(body)
	if e == nil {
		return "", ""
	}
	var leaves []string
	e.leaves(&leaves, 0)
	code = e.Code
	const most = 5
	if len(leaves) > most {
		leaves = append(leaves[:most], fmt.Sprintf("and %d more", len(leaves)-most))
	}
	return code, strings.Join(leaves, "; ")
}

func parseError(body []byte) *serviceError {
	body = bytes.TrimSpace(body)
	if len(body) == 0 || body[0] != '{' {
		return nil
	}
	var doc struct {
		Error      json.RawMessage `json:"error"`
		Properties struct {
			Error           json.RawMessage                  `json:"error"`
			ProvisioningErr []*struct{ Error *serviceError } `json:"provisioningErrors"`
		} `json:"properties"`
		serviceError
		ErrorCode string `json:"error_code"` // MLflow
	}
	if json.Unmarshal(body, &doc) != nil {
		return nil
	}
	for _, raw := range []json.RawMessage{doc.Error, doc.Properties.Error} {
		var e serviceError
		if len(raw) > 0 && json.Unmarshal(raw, &e) == nil && (e.Code != "" || e.Message != "" || len(e.Details) > 0) {
			return &e
		}
		var text string
		if len(raw) > 0 && json.Unmarshal(raw, &text) == nil && text != "" {
			return &serviceError{Code: doc.Code, Message: text}
		}
	}
	if list := doc.Properties.ProvisioningErr; len(list) > 0 {
		e := &serviceError{}
		for _, p := range list {
			if p != nil && p.Error != nil {
				e.Details = append(e.Details, p.Error)
			}
		}
		if len(e.Details) > 0 {
			e.Code = e.Details[0].Code
			return e
		}
	}
	if doc.Code == "" {
		doc.Code = doc.ErrorCode
	}
	if doc.Code != "" || doc.Message != "" {
		return &doc.serviceError
	}
	return nil
}

// leaves gathers the messages that have no message below them.
func (e *serviceError) leaves(into *[]string, depth int) {
	if e == nil || depth > 16 {
		return
	}
	before := len(*into)
	for _, d := range e.Details {
		d.leaves(into, depth+1)
	}
	if e.InnerError != nil {
		e.InnerError.leaves(into, depth+1)
	}
	if len(*into) > before {
		return
	}
	m := strings.TrimSpace(e.Message)
	if inner := parseError([]byte(m)); inner != nil { // a service that passes on another's error as text
		inner.leaves(into, depth+1)
		if len(*into) > before {
			return
		}
	}
	if m == "" {
		return
	}
	if e.Target != "" && (depth > 0 || strings.HasPrefix(e.Target, "properties.")) && !strings.Contains(m, e.Target) {
		m = e.Target + ": " + m
	}
	for _, have := range *into {
		if have == m {
			return
		}
	}
	*into = append(*into, m)
}

// plain is the beginning of a body that is no error document, for people. A page
// says nothing; plain words that are called a page, as Flask's servers do, count.
func plain(body []byte, contentType string) string {
	if strings.Contains(contentType, "html") && bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		return ""
	}
	s := strings.Join(strings.Fields(string(body)), " ")
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + "…"
	}
	return s
}

// Header has the headers of the answer, nil if there was none. Those with secrets are redacted.
func (e *Error) Header() http.Header {
	if e.response == nil || e.response.RawResponse == nil {
		return nil
	}
	return e.response.RawResponse.Header
}
