package blob

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"iter"
	"strings"
)

// List yields the blobs whose names begin with prefix, in the order of their
// names' bytes. It reads in pages: what is written meanwhile may or may not be
// among them. Errors: store.ErrNotFound when the container is not there.
func (s *Service) List(ctx context.Context, account, container, prefix string) iter.Seq2[*Item, error] {
	return func(yield func(*Item, error) bool) {
		a := address{account: account, container: container}
		q := listing{prefix: prefix, limit: 1000}
		for more := true; more; {
			page, err := s.page(ctx, a, q)
			if err != nil {
				yield(nil, a.fault("list", err))
				return
			}
			for _, e := range page.entries {
				if !yield(&e.record.Item, nil) {
					return
				}
			}
			q.from, more = page.next, page.next != ""
		}
	}
}

// listing asks for a page of a container.
type listing struct {
	prefix, delimiter string
	from              string // the first name that may be in the page
	limit             int
}

// entry is a blob, or a prefix that blobs share up to the delimiter.
type entry struct {
	record *record
	prefix string
}

type page struct {
	entries []entry
	next    string // where the next page begins, empty after the last one
}

// batch is how many rows are asked for at a time below a delimiter.
const batch = 200

// page reads one page from one moment's state.
func (s *Service) page(ctx context.Context, a address, q listing) (p *page, err error) {
	err = s.db.View(ctx, func(tx *sql.Tx) error {
		id, err := findContainer(tx, a)
		if err != nil {
			return err
		}
		p = &page{}
		from, end := max(q.from, q.prefix), after(q.prefix)
		for {
			ask := q.limit + 1 - len(p.entries)
			if q.delimiter != "" {
				ask = min(ask, batch)
			}
			records, err := s.records(tx, a, id, from, end, ask)
			if err != nil {
				return err
			}
			jumped := false
			for _, r := range records {
				from = r.Name
				if len(p.entries) == q.limit {
					p.next = from
					return nil
				}
				if cut := shared(r.Name, q.prefix, q.delimiter); cut != "" {
					p.entries = append(p.entries, entry{prefix: cut})
					from, jumped = after(cut), true
					break
				}
				p.entries = append(p.entries, entry{record: r})
				from += "\x00" // the next name that can be
			}
			if from == "" || !jumped && len(records) < ask {
				return nil
			}
		}
	})
	return p, err
}

// records reads rows with from <= name < end, an empty end being none.
func (s *Service) records(tx *sql.Tx, a address, container int64, from, end string, limit int) ([]*record, error) {
	rows, err := tx.Query(`SELECT `+recordColumns+` FROM blobs b WHERE b.container = ? AND b.name >= ? AND (? = '' OR b.name < ?) ORDER BY b.name LIMIT ?`,
		container, from, end, end, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []*record
	for rows.Next() {
		r, err := s.scanRecord(rows, a.account, a.container)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a live blob that was deleted after this view began
		}
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// shared is the part of a name up to the first delimiter after the prefix, empty
// when there is none.
func shared(name, prefix, delimiter string) string {
	if delimiter == "" {
		return ""
	}
	i := strings.Index(name[len(prefix):], delimiter)
	if i < 0 {
		return ""
	}
	return name[:len(prefix)+i+len(delimiter)]
}

// after is the smallest string above all that begin with prefix, empty when there
// is none.
func after(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xFF {
			return prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return ""
}
