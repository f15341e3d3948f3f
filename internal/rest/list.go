package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// All yields the items of a paged list in the service's order, asking for the next page when it is needed. An error is
// the last thing it yields. The pages after the first are got with GET, as nextLink wants it.
func All[T any](ctx context.Context, c *Client, call *Call, decode func(raw json.RawMessage) (T, error)) iter.Seq2[T, error] {
	first := *call
	first.Query = maps.Clone(call.Query)
	return func(yield func(T, error) bool) {
		var none T
		u, err := c.address(ctx, &first)
		if err != nil {
			yield(none, WithOp(first.Op, err))
			return
		}
		one := first
		for {
			page, err := fetchPage(ctx, c, &one, u)
			if err != nil {
				yield(none, err)
				return
			}
			for _, raw := range page.items {
				v, err := decode(raw)
				if err != nil {
					yield(none, WithOp(first.Op, err))
					return
				}
				if !yield(v, nil) {
					return
				}
			}
			next, err := nextPage(c, &first, u, page)
			if err != nil {
				yield(none, WithOp(first.Op, err))
				return
			}
			if next == nil {
				return
			}
			if page.next != "" {
				one.Method, one.Body, one.Header = http.MethodGet, nil, nil
			}
			u = next
		}
	}
}

type page struct {
	items []json.RawMessage
	next  string // nextLink
	token string // continuationToken
}

func fetchPage(ctx context.Context, c *Client, call *Call, u *url.URL) (p *page, err error) {
	ctx, end := c.span(ctx, call.Op)
	defer func() { end(err) }()
	resp, err := c.sendTo(ctx, call, u, false)
	if err != nil {
		return nil, err
	}
	raw, err := runtime.Payload(resp)
	if err != nil {
		return nil, WithOp(call.Op, err)
	}
	name := call.Items
	if name == "" {
		name = "value"
	}
	p = &page{}
	if raw = bytes.TrimSpace(raw); len(raw) == 0 {
		return p, nil
	}
	if raw[0] == '[' { // a few services answer the bare list
		err = json.Unmarshal(raw, &p.items)
		return p, WithOp(call.Op, err)
	}
	var doc map[string]json.RawMessage
	if err = json.Unmarshal(raw, &doc); err != nil {
		return nil, WithOp(call.Op, fmt.Errorf("decoding a page: %w", err))
	}
	for key, into := range map[string]any{name: &p.items, "nextLink": &p.next, "continuationToken": &p.token} {
		if v, ok := doc[key]; ok {
			if err = json.Unmarshal(v, into); err != nil {
				return nil, WithOp(call.Op, fmt.Errorf("decoding %s of a page: %w", key, err))
			}
		}
	}
	return p, nil
}

// nextPage is the address of the page after p, nil after the last. A link to a host that is not trusted is refused.
func nextPage(c *Client, call *Call, at *url.URL, p *page) (*url.URL, error) {
	var u *url.URL
	switch {
	case p.next != "":
		var err error
		if u, err = c.follow(call, at, "nextLink", p.next); err != nil {
			return nil, err
		}
		if v := at.Query().Get("api-version"); v != "" {
			q := u.Query()
			q.Set("api-version", v)
			u.RawQuery = q.Encode()
		}
	case p.token != "" && call.Continue != "":
		n := *at
		q := n.Query()
		q.Set(call.Continue, p.token)
		n.RawQuery = q.Encode()
		u = &n
	default:
		return nil, nil
	}
	if u.String() == at.String() {
		return nil, fmt.Errorf("the link to the next page leads to the same page")
	}
	return u, nil
}

// follow resolves an address that an answer carries, and refuses hosts to which the call's token may not be sent.
func (c *Client) follow(call *Call, at *url.URL, what, link string) (*url.URL, error) {
	u, err := url.Parse(link)
	if err != nil {
		return nil, fmt.Errorf("the %s is no address", what)
	}
	u = at.ResolveReference(u)
	if u.User != nil {
		return nil, fmt.Errorf("the %s carries a user name", what)
	}
	if originOf(u) != originOf(at) && !c.trust.allows(u) {
		return nil, fmt.Errorf("the %s was refused: %w", what, &hostError{host: u.Scheme + "://" + u.Host})
	}
	return u, nil
}
