package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml/internal/wire"
)

// encode makes the body of a request to the resource at path: bytes and readers as they are, kinds by wire (a kind that
// was read from that path keeps what the service said and the struct does not know), anything else as JSON.
func encode(v any, path string) (io.ReadSeeker, error) {
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
	if _, ok := v.(wire.Laid); ok {
		m, err := wire.Body(v, path)
		if err != nil {
			return nil, err
		}
		v = m
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
	if kind(out) {
		return wire.FromREST(raw, out)
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("decoding the answer: %w", err)
	}
	return nil
}

// kind reports whether out points to a kind of wire's, or to a sealed interface of kinds.
func kind(out any) bool {
	if _, ok := out.(wire.Laid); ok {
		return true
	}
	t := reflect.TypeOf(out)
	return t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Interface && t.Elem().NumMethod() > 0
}

// As decodes a list's item or an operation's result into a new T.
func As[T any](raw json.RawMessage) (*T, error) {
	v := new(T)
	return v, decode(raw, v)
}

func decodeBody(resp *http.Response, out any) error {
	raw, err := runtime.Payload(resp)
	if err != nil {
		return err
	}
	return decode(raw, out)
}

// Ask sends the call and decodes its answer into a new T.
func Ask[T any](ctx context.Context, c *Client, call *Call) (*T, error) {
	out, one := new(T), *call
	one.Out = out
	if err := c.Do(ctx, &one); err != nil {
		return nil, err
	}
	return out, nil
}
