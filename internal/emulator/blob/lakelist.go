package blob

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// lakePath is one entry of List Paths.
type lakePath struct {
	Name          string `json:"name"`
	IsDirectory   string `json:"isDirectory,omitempty"`
	LastModified  string `json:"lastModified"`
	ETag          string `json:"etag"`
	ContentLength string `json:"contentLength"`
	CreationTime  string `json:"creationTime,omitempty"`
	Owner         string `json:"owner"`
	Group         string `json:"group"`
	Permissions   string `json:"permissions"`
}

// fileTime is a time in the ticks of Windows files.
func fileTime(t time.Time) string {
	return strconv.FormatInt(t.UnixNano()/100+116444736000000000, 10)
}

// listPaths serves List Paths.
func listPaths(q *request) error {
	dir := strings.Trim(q.query.get("directory"), "/")
	l := listing{limit: maxPage}
	if v := q.query.get("maxresults"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return invalidParameter("maxResults", v)
		}
		l.limit = min(n, maxPage)
	}
	if v := q.query.get("continuation"); v != "" {
		from, err := decodeBase64(v)
		if err != nil {
			return invalidParameter("continuation", v)
		}
		l.from = string(from)
	}
	a := q.address
	a.blob = dir
	if !strings.EqualFold(q.query.get("recursive"), "true") {
		l.delimiter = "/"
	}
	found, next, err := q.s.lakePage(q.Context(), a, l)
	if err != nil {
		return err
	}
	if next != "" {
		q.w.Header().Set("X-Ms-Continuation", encodeBase64(next))
	}
	body, err := json.Marshal(map[string]any{"paths": found})
	if err != nil {
		return err
	}
	return q.json(body)
}

// json answers with a document.
func (q *request) json(body []byte) error {
	q.w.Header().Set("Content-Type", "application/json;charset=utf-8")
	q.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	q.w.WriteHeader(http.StatusOK)
	_, err := q.w.Write(body)
	q.sent(err)
	return nil
}

// lakePage reads a page of the paths below a folder. Folders that have no mark are
// told before the first name below them. A file lists itself.
func (s *Service) lakePage(ctx context.Context, a address, l listing) (found []lakePath, next string, err error) {
	found = []lakePath{}
	at, err := s.lookPath(ctx, a)
	if err != nil {
		return nil, "", err
	}
	if !at.folder {
		return append(found, describe(at.record)), "", nil
	}
	if a.blob != "" {
		l.prefix = a.blob + "/"
	}
	p, err := s.page(ctx, a, l)
	if err != nil {
		return nil, "", err
	}
	seen := map[string]bool{}
	err = s.db.View(ctx, func(tx *sql.Tx) error {
		implied := func(folder, first string) error {
			if seen[folder] {
				return nil
			}
			seen[folder] = true
			told, err := s.told(tx, address{a.account, a.container, folder}, at.container, l.from)
			if err == nil && !told {
				found = append(found, lakePath{Name: folder, IsDirectory: "true", LastModified: time.Unix(0, 0).UTC().Format(http.TimeFormat), ETag: bare(s.folderTag(at.container)),
					ContentLength: "0", Owner: lakeOwner, Group: lakeOwner, Permissions: dirPermissions})
			}
			return err
		}
		for _, e := range p.entries {
			if e.record == nil {
				if err := implied(strings.TrimSuffix(e.prefix, "/"), e.prefix); err != nil {
					return err
				}
				continue
			}
			rest := e.record.Name[len(l.prefix):]
			for i := 1; i < len(rest); i++ {
				if rest[i] == '/' {
					if err := implied(l.prefix+rest[:i], e.record.Name); err != nil {
						return err
					}
				}
			}
			seen[e.record.Name] = seen[e.record.Name] || e.record.folder()
			found = append(found, describe(e.record))
		}
		return nil
	})
	return found, p.next, err
}

// told reports whether a folder is, or was, told otherwise: it has a mark, or an
// earlier page ended below it.
func (s *Service) told(tx *sql.Tx, a address, container int64, from string) (bool, error) {
	_, err := s.findRecord(tx, a)
	if err == nil || !errors.Is(err, errBlobNotFound) {
		return err == nil, err
	}
	if from == "" {
		return false, nil
	}
	var one int
	err = tx.QueryRow(`SELECT 1 FROM blobs WHERE container = ? AND name >= ? AND name < ? LIMIT 1`, container, a.blob+"/", min(from, after(a.blob+"/"))).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func describe(r *record) lakePath {
	p := lakePath{Name: r.Name, LastModified: r.Modified.Format(http.TimeFormat), ETag: bare(r.ETag), ContentLength: strconv.FormatInt(r.Size, 10),
		CreationTime: fileTime(r.Created), Owner: lakeOwner, Group: lakeOwner, Permissions: filePermissions}
	if r.folder() {
		p.IsDirectory, p.Permissions = "true", dirPermissions
	}
	return p
}

// listFilesystems serves List Filesystems.
func listFilesystems(q *request) error {
	l := listing{prefix: q.query.get("prefix"), limit: maxPage}
	found, next, err := q.s.containers(q.Context(), q.account, l)
	if err != nil {
		return err
	}
	type filesystem struct {
		Name         string `json:"name"`
		LastModified string `json:"lastModified"`
		ETag         string `json:"etag"`
	}
	all := []filesystem{}
	for _, b := range found {
		all = append(all, filesystem{b.name, b.modified.Format(http.TimeFormat), bare(b.quotedETag())})
	}
	if next != "" {
		q.w.Header().Set("X-Ms-Continuation", marker(next))
	}
	body, err := json.Marshal(map[string]any{"filesystems": all})
	if err != nil {
		return err
	}
	return q.json(body)
}
