package emulator

import (
	"database/sql"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// listing is one answer of a list.
type listing struct {
	parent, typ string
	newest      bool                                    // newest first, unless the caller orders
	keep        func(document) (bool, error)            // nil keeps all
	show        func(document) (document, error)        // nil answers documents as they are
	read        func(*store.Document) (document, error) // of what is stored; the function read when nil
	key         string                                  // of the array; "value" when empty
	extra       []document                              // put behind the last page
	last        func(document) document                 // completes extra
}

// size is how many items the caller wants at most in a page.
func (c *call) size() (int, error) {
	for _, name := range []string{"$top", "top", "count", "maxpagesize"} {
		if v := c.query(name); v != "" {
			n, err := strconv.Atoi(v)
			if err != nil || n <= 0 {
				return 0, arm.Invalid(name, "The parameter %s must be a number above zero.", name)
			}
			return min(n, 1000), nil
		}
	}
	return c.s.opts.PageSize, nil
}

// token reads where a page begins.
func (c *call) token() (int64, error) {
	for _, name := range []string{"$skip", "$skipToken", "skip", "continuationToken"} {
		v := c.query(name)
		if v == "" {
			continue
		}
		return readToken(name, v)
	}
	return 0, nil
}

func readToken(name, v string) (int64, error) {
	b, err := base64.RawURLEncoding.DecodeString(v)
	if err == nil {
		if n, err := strconv.ParseInt(strings.TrimPrefix(string(b), "after:"), 10, 64); err == nil && strings.HasPrefix(string(b), "after:") {
			return n, nil
		}
	}
	return 0, arm.Invalid(name, "The continuation token %q is not one of this service's.", v)
}

func tokenOf(n int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte("after:" + strconv.FormatInt(n, 10)))
}

// order reads $orderBy: only the time of creation is an order here, as it is in Azure.
func (c *call) order(newest bool) (bool, error) {
	v := strings.ToLower(strings.TrimSpace(c.query("$orderBy")))
	if v == "" {
		v = strings.ToLower(strings.TrimSpace(c.query("orderBy")))
	}
	switch word, dir, _ := strings.Cut(v, " "); {
	case v == "":
		return newest, nil
	case strings.HasPrefix(word, "created") || strings.HasPrefix(word, "updated") || word == "lastmodified" || strings.HasPrefix(word, "systemdata") || word == "version":
		return strings.TrimSpace(dir) == "desc", nil
	}
	return false, arm.Invalid("$orderBy", "The order %q is not served; createdtime asc and createdtime desc are.", v)
}

// list answers a page.
func (c *call) list(l listing) error {
	size, err := c.size()
	if err != nil {
		return err
	}
	after, err := c.token()
	if err != nil {
		return err
	}
	newest, err := c.order(l.newest)
	if err != nil {
		return err
	}
	if l.read == nil {
		l.read = read
	}
	value := []any{}
	more := false
	var last int64
	if after >= 0 {
		last = after
		err = c.s.db.View(c.ctx(), func(tx *sql.Tx) error {
			for {
				chunk := max(size-len(value)+1, 16)
				all, err := store.List(tx, store.Query{Parent: l.parent, Type: l.typ, After: last, Limit: chunk, Descending: newest})
				if err != nil {
					return err
				}
				for _, d := range all {
					doc, err := l.read(d)
					if err != nil {
						return err
					}
					if l.keep != nil {
						ok, err := l.keep(doc)
						if err != nil {
							return err
						}
						if !ok {
							last = d.Seq
							continue
						}
					}
					if len(value) == size {
						more = true
						return nil
					}
					value = append(value, doc)
					last = d.Seq
				}
				if len(all) < chunk {
					return nil
				}
			}
		})
		if err != nil {
			return err
		}
	}
	if l.show != nil {
		for i, v := range value {
			doc, err := l.show(v.(document))
			if err != nil {
				return err
			}
			value[i] = doc
		}
	}
	if !more {
		for _, x := range l.extra {
			if l.keep != nil {
				ok, err := l.keep(x)
				if err != nil {
					return err
				}
				if !ok {
					continue
				}
			}
			if _, err := c.s.get(c.ctx(), x.text("id")); err == nil {
				continue // it is stored, and was listed
			} else if !errors.Is(err, store.ErrNotFound) {
				return err
			}
			if l.last != nil {
				x = l.last(x)
			}
			value = append(value, x)
		}
	}
	return c.page(l.key, value, more, last)
}

// page answers items and where the next page is.
func (c *call) page(key string, value []any, more bool, last int64) error {
	if key == "" {
		key = "value"
	}
	out := document{key: value}
	if more {
		out["nextLink"] = c.next(tokenOf(last))
	}
	return c.reply(http.StatusOK, out)
}

// next is the address of the page that a token begins.
func (c *call) next(token string) string {
	q := url.Values{}
	for k, v := range c.r.URL.Query() {
		switch strings.ToLower(k) {
		case "$skip", "$skiptoken", "skip", "continuationtoken":
		default:
			q[k] = v
		}
	}
	q.Set("$skip", token)
	return c.self + "?" + q.Encode()
}

// slice answers a page of items that are all in memory.
func (c *call) slice(key string, all []any) error {
	size, err := c.size()
	if err != nil {
		return err
	}
	at, err := c.token()
	if err != nil {
		return err
	}
	at = min(at, int64(len(all)))
	end := min(at+int64(size), int64(len(all)))
	return c.page(key, all[at:end], end < int64(len(all)), end)
}

// viewOf is listViewType, folded. azure-ai-ml also says it as Python prints its enum: ListViewType.ACTIVE_ONLY.
func viewOf(c *call) string {
	return strings.TrimPrefix(fold(c.query("listViewType")), "listviewtype.")
}

// archived keeps what listViewType asks for: ActiveOnly (the default), ArchivedOnly or All.
func (c *call) archived() (func(document) (bool, error), error) {
	switch v := viewOf(c); v {
	case "", "activeonly":
		return func(d document) (bool, error) { return !d.flag("properties", "isArchived"), nil }, nil
	case "archivedonly":
		return func(d document) (bool, error) { return d.flag("properties", "isArchived"), nil }, nil
	case "all":
		return nil, nil
	default:
		return nil, arm.Invalid("listViewType", "The view %q is unknown: ActiveOnly, ArchivedOnly or All.", v)
	}
}
