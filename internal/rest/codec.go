package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// encode makes the body of a request: bytes and readers as they are, anything else as JSON.
func encode(v any) (io.ReadSeeker, error) {
	switch b := v.(type) {
	case nil:
		return nil, nil
	case json.RawMessage:
		return bytes.NewReader(b), nil
	case []byte:
		return bytes.NewReader(b), nil
	case io.ReadSeeker:
		return b, nil
	}
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encoding the body: %w", err)
	}
	return bytes.NewReader(bytes.TrimSuffix(buf.Bytes(), []byte("\n"))), nil
}

// decode puts the body of an answer where the caller wants it. An empty body changes nothing.
func decode(raw []byte, out any) error {
	switch o := out.(type) {
	case nil:
		return nil
	case *json.RawMessage:
		*o = bytes.Clone(raw)
		return nil
	case *[]byte:
		*o = bytes.Clone(raw)
		return nil
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("decoding the answer: %w", err)
	}
	return nil
}

func decodeBody(resp *http.Response, out any) error {
	raw, err := runtime.Payload(resp)
	if err != nil {
		return err
	}
	return decode(raw, out)
}
