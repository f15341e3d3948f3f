package blob

import (
	"database/sql"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

var errParentNotFound = fault(404, "ParentNotFound", "The specified parent path does not exist.")

// inFolder checks that a path's folder is there, and gives the folders above it
// their marks.
func (s *Service) inFolder(tx *sql.Tx, a address) error {
	up := parentOf(a.blob)
	if up == "" {
		return nil
	}
	p, err := s.findPath(tx, address{a.account, a.container, up})
	if errors.Is(err, errBlobNotFound) || err == nil && !p.folder {
		return errParentNotFound
	}
	if err != nil {
		return err
	}
	return s.markFolders(tx, a)
}

// putDirectory serves Create Directory.
func putDirectory(q *request) error {
	metadata, err := requestMetadata(q.Header)
	if err != nil {
		return err
	}
	state, err := q.fileState(nil)
	if err != nil {
		return err
	}
	w := &write{metadata: marked(metadata), headers: headers{File: state}}
	w.take(&content{})
	w.choose = func(tx *sql.Tx, container int64, old *record) error {
		if old != nil {
			return errBlobExists
		}
		if there, err := below(tx, container, q.blob); err != nil || there {
			return errors.Join(err, errBlobExists)
		}
		return q.s.inFolder(tx, q.address)
	}
	r, err := q.s.commit(q.Context(), q.address, w)
	if err != nil {
		return err
	}
	q.writeFileProperties(r)
	q.written(http.StatusCreated, r)
	return nil
}

// getDirectory serves Get Directory Properties and Get Directory Metadata.
func getDirectory(q *request) error {
	p, err := q.s.lookPath(q.Context(), q.address)
	if err != nil {
		return err
	}
	if !p.folder {
		return errPathType
	}
	r := p.record
	if r == nil { // what is below it makes it
		r = &record{Item: Item{ETag: q.s.folderTag(p.container), Created: time.Unix(0, 0), Modified: time.Unix(0, 0), Metadata: marked(nil)}}
	}
	q.stamp(r.ETag, r.Modified)
	q.writeFileProperties(r)
	q.empty(http.StatusOK)
	return nil
}

// deleteDirectory serves Delete Directory.
func deleteDirectory(q *request) error {
	p, err := q.s.lookPath(q.Context(), q.address)
	if err != nil {
		return err
	}
	if !p.folder {
		return errPathType
	}
	if err := q.s.removePath(q.Context(), q.address, false, conditions{}); err != nil {
		return err
	}
	q.empty(http.StatusAccepted)
	return nil
}

// deleteFile serves Delete File.
func deleteFile(q *request) error {
	err := q.s.remove(q.Context(), q.address, func(r *record) error {
		if r.folder() {
			return errPathType
		}
		return nil
	})
	if err != nil {
		return err
	}
	q.empty(http.StatusAccepted)
	return nil
}

// renameFile serves Rename File and Rename Directory.
func renameFile(q *request) error {
	text := q.Header.Get("X-Ms-File-Rename-Source")
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return invalidHeader("x-ms-file-rename-source", text)
	}
	path, _ := q.named(u)
	from, err := parsePath(path)
	if from.blob = strings.Trim(from.blob, "/"); err != nil || from.blob == "" || from.account != q.account {
		return invalidHeader("x-ms-file-rename-source", redact(u))
	}
	v, err := parseQuery(u.RawQuery)
	if err != nil {
		return err
	}
	if err := q.mayMove(from, v); err != nil {
		return err
	}
	overwrite := strings.EqualFold(q.Header.Get("X-Ms-File-Rename-Replace-If-Exists"), "true")
	r, err := q.s.rename(q.Context(), from, q.address, rename{overwrite: overwrite})
	if err != nil {
		return err
	}
	if r == nil {
		q.empty(http.StatusOK)
		return nil
	}
	q.writeFileProperties(r)
	q.written(http.StatusOK, r)
	return nil
}

// listDirectory serves List Directories and Files.
func listDirectory(q *request) error {
	l, err := q.window()
	if err != nil {
		return err
	}
	p, err := q.s.lookPath(q.Context(), q.address)
	if err != nil {
		return err
	}
	if !p.folder {
		return errPathType
	}
	prefix := ""
	if q.blob != "" {
		prefix = q.blob + "/"
	}
	within := l
	within.prefix, within.delimiter = prefix+l.prefix, "/"
	found, next, err := q.s.entries(q.Context(), q.address, p.container, within)
	if err != nil {
		return err
	}
	var b strings.Builder
	b.Grow(512 + 400*len(found))
	b.WriteString(xmlHeader + `<EnumerationResults ServiceEndpoint="`)
	scheme := "http"
	if q.secure() {
		scheme = "https"
	}
	escape(&b, scheme+"://"+q.Host+"/"+q.account+"/")
	b.WriteString(`" ShareName="`)
	escape(&b, q.container)
	b.WriteString(`" DirectoryPath="`)
	escape(&b, q.blob)
	b.WriteString(`">`)
	element(&b, "Prefix", l.prefix)
	element(&b, "Marker", q.query.get("marker"))
	element(&b, "MaxResults", strconv.Itoa(l.limit))
	element(&b, "DirectoryId", fileID(p.record))
	b.WriteString("<Entries>")
	for _, e := range found {
		writeFileEntry(&b, strings.TrimPrefix(e.Name, prefix), e)
	}
	b.WriteString("</Entries>")
	if next != "" {
		next = base64.URLEncoding.EncodeToString([]byte(next))
	}
	element(&b, "NextMarker", next)
	b.WriteString("</EnumerationResults>")
	return q.xml(b.String())
}

func writeFileEntry(b *strings.Builder, name string, r *record) {
	tag := "File"
	if r.folder() {
		tag = "Directory"
	}
	b.WriteString("<" + tag + ">")
	element(b, "FileId", fileID(r))
	element(b, "Name", name)
	b.WriteString("<Properties>")
	if !r.folder() {
		element(b, "Content-Length", strconv.FormatInt(r.Size, 10))
	}
	if r.id != 0 {
		state := r.fileState()
		element(b, "CreationTime", time.Unix(0, state.Created).UTC().Format(smbTime))
		element(b, "LastAccessTime", r.Modified.Format(smbTime))
		element(b, "LastWriteTime", time.Unix(0, state.Written).UTC().Format(smbTime))
		element(b, "ChangeTime", r.Modified.Format(smbTime))
		element(b, "Last-Modified", r.Modified.Format(http.TimeFormat))
		element(b, "Etag", r.ETag)
	}
	b.WriteString("</Properties>")
	element(b, "Attributes", r.fileState().Attributes)
	element(b, "PermissionKey", permissionKey)
	b.WriteString("</" + tag + ">")
}

// fileID is a file's number; the top folder, and one without a mark, has none.
func fileID(r *record) string {
	if r == nil {
		return "0"
	}
	return strconv.FormatInt(r.id, 10)
}
