package blob

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/store"
)

// Error is a refusal as Azure Blob Storage words it. errors.Is(err,
// store.ErrNotFound) holds for those with status 404.
type Error struct {
	Status  int
	Code    string
	Message string
	// Detail goes into AuthenticationErrorDetail.
	Detail string
	// RetryAfter, when set, is told in whole seconds and in milliseconds.
	RetryAfter time.Duration
	header     http.Header
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Is reports whether the error is of the store's kind.
func (e *Error) Is(target error) bool {
	return target == store.ErrNotFound && e.Status == http.StatusNotFound
}

// with returns the error with a header of the answer.
func (e *Error) with(name, value string) *Error {
	c := *e
	c.header = e.header.Clone()
	if c.header == nil {
		c.header = http.Header{}
	}
	c.header.Set(name, value)
	return &c
}

// because returns the error with an authentication detail.
func (e *Error) because(format string, args ...any) *Error {
	c := *e
	c.Detail = fmt.Sprintf(format, args...)
	return &c
}

// Write answers a request with the error. What the client is still sending is read first: it would not read the answer otherwise.
func (e *Error) Write(w http.ResponseWriter, r *http.Request) {
	e.drain(w, r)
	e.write(w, r, time.Now())
}

func (e *Error) drain(w http.ResponseWriter, r *http.Request) {
	_, _ = io.CopyN(io.Discard, r.Body, drained) // whatever fails here, the answer is the same
	if w.Header().Get("X-Ms-Version") == "" {
		w.Header().Set("X-Ms-Version", protocolVersion)
	}
}

// write sends the error as Azure does: XML, and its code in a header.
func (e *Error) write(w http.ResponseWriter, r *http.Request, now time.Time) {
	var b strings.Builder
	b.WriteString(xml.Header[:len(xml.Header)-1])
	b.WriteString("<Error>")
	element(&b, "Code", e.Code)
	element(&b, "Message", fmt.Sprintf("%s\nRequestId:%s\nTime:%s", e.Message, w.Header().Get("X-Ms-Request-Id"), now.UTC().Format("2006-01-02T15:04:05.0000000Z")))
	if e.Detail != "" {
		element(&b, "AuthenticationErrorDetail", e.Detail)
	}
	b.WriteString("</Error>")
	e.send(w, r, "application/xml", []byte(b.String()))
}

// send sends the error with a body, unless the answer has none.
func (e *Error) send(w http.ResponseWriter, r *http.Request, contentType string, body []byte) {
	h := w.Header()
	for name, values := range e.header {
		h[name] = values
	}
	h.Set("X-Ms-Error-Code", e.Code)
	h.Del("ETag")
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((e.RetryAfter+time.Second-1)/time.Second), 10))
		h.Set("retry-after-ms", strconv.FormatInt(e.RetryAfter.Milliseconds(), 10))
	}
	if e.Status == http.StatusNotModified || r.Method == http.MethodHead {
		w.WriteHeader(e.Status)
		return
	}
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(e.Status)
	// A client that went away is told nothing.
	_, _ = w.Write(body)
}

// failure makes any error one that can be sent. What is no refusal is an
// InternalError, which says no more than that.
func failure(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if diskFull(err) {
		return errNoSpace
	}
	return &Error{Status: http.StatusInternalServerError, Code: "InternalError", Message: "The server encountered an internal error. Please retry the request."}
}

// fault makes a refusal.
func fault(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// The refusals of Azure Blob Storage that have no arguments.
var (
	errContainerNotFound = fault(404, "ContainerNotFound", "The specified container does not exist.")
	errContainerExists   = fault(409, "ContainerAlreadyExists", "The specified container already exists.")
	errBlobNotFound      = fault(404, "BlobNotFound", "The specified blob does not exist.")
	errBlobExists        = fault(409, "BlobAlreadyExists", "The specified blob already exists.")
	errBlobType          = fault(409, "InvalidBlobType", "The blob type is invalid for this operation.")
	errBlobGrows         = fault(412, "LeaseIdMissing", "There is currently a lease on the blob and no lease ID was specified in the request: a process of the workspace writes to it.")
	errOverwrite         = fault(403, "UnauthorizedBlobOverwrite", "This request is not authorized to perform blob overwrites.")
	errCondition         = fault(412, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.")
	errNotModified       = fault(304, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.")
	errSourceCondition   = fault(412, "SourceConditionNotMet", "The source condition specified using HTTP conditional header(s) is not met.")
	errAppendPosition    = fault(412, "AppendPositionConditionNotMet", "The append position condition specified was not met.")
	errMaxSize           = fault(412, "MaxBlobSizeConditionNotMet", "The max blob size condition specified was not met.")
	errMD5               = fault(400, "Md5Mismatch", "The MD5 value specified in the request did not match with the MD5 value calculated by the server.")
	errCRC64             = fault(400, "Crc64Mismatch", "The CRC64 value specified in the request did not match with the CRC64 value calculated by the server.")
	errInvalidMD5        = fault(400, "InvalidMd5", "The MD5 value specified in the request is invalid. MD5 value must be 128 bits and base64 encoded.")
	errInvalidCRC64      = fault(400, "InvalidCrc64", "The CRC64 value specified in the request is invalid. CRC64 value must be 64 bits and base64 encoded.")
	errBlockList         = fault(400, "InvalidBlockList", "The specified block list is invalid.")
	errBlockID           = fault(400, "InvalidBlobOrBlock", "The specified blob or block content is invalid.")
	errContentLength     = fault(411, "MissingContentLengthHeader", "Content-Length HTTP header is required.")
	errTooLarge          = fault(413, "RequestBodyTooLarge", "The request body is too large and exceeds the maximum permissible limit.")
	errRange             = fault(416, "InvalidRange", "The range specified is invalid for the current size of the resource.")
	errMetadata          = fault(400, "InvalidMetadata", "The specified metadata is invalid. It has characters that are not permitted.")
	errMetadataKey       = fault(400, "EmptyMetadataKey", "The key for one of the metadata key-value pairs is empty.")
	errMetadataSize      = fault(400, "MetadataTooLarge", "The metadata specified exceeds the maximum permissible limit.")
	errXML               = fault(400, "InvalidXmlDocument", "XML specified is not syntactically valid.")
	errResourceName      = fault(400, "InvalidResourceName", "The specified resource name contains invalid characters.")
	errResourceLength    = fault(400, "OutOfRangeInput", "The specified resource name length is not within the permissible limits.")
	errURI               = fault(400, "InvalidUri", "The requested URI does not represent any resource on the server.")
	errNoPendingCopy     = fault(409, "NoPendingCopyOperation", "There is currently no pending copy operation.")
)

// refused says that an operation of Azure's is not one of the local workspace's.
func refused(operation string) *Error {
	return fault(http.StatusNotImplemented, "NotImplemented", "%s is not supported by the local workspace's blob service.", operation)
}

// invalidHeader says that a header's value cannot be used.
func invalidHeader(name, value string) *Error {
	return fault(400, "InvalidHeaderValue", "The value for one of the HTTP headers is not in the correct format: %s: %q.", name, value)
}

// invalidParameter says that a query parameter's value cannot be used.
func invalidParameter(name, value string) *Error {
	return fault(400, "InvalidQueryParameterValue", "Value for one of the query parameters specified in the request URI is invalid: %s=%q.", name, value)
}
