package blob

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// lakeRoute is what tells operations of the Data Lake protocol apart: what is the
// parameter resource or action, or "rename".
type lakeRoute struct {
	level  level
	method string
	what   string
}

// lakeOperations is the Data Lake Storage Gen2 protocol, over the same blobs. A file
// system is a container, a path is a blob.
var lakeOperations = map[lakeRoute]operation{
	{serviceLevel, http.MethodGet, "account"}:                  {"List Filesystems", "l", true, 's', listFilesystems},
	{containerLevel, http.MethodPut, "filesystem"}:             {"Create Filesystem", "cw", true, 'c', putContainer},
	{containerLevel, http.MethodHead, "filesystem"}:            {"Get Filesystem Properties", "r", true, 'c', lakeFilesystem},
	{containerLevel, http.MethodPatch, "filesystem"}:           {"Set Filesystem Properties", "w", true, 'c', setLakeFilesystem},
	{containerLevel, http.MethodDelete, "filesystem"}:          {"Delete Filesystem", "d", true, 'c', removeContainer},
	{containerLevel, http.MethodGet, "filesystem"}:             {"List Paths", "l", false, 'c', listPaths},
	{containerLevel, http.MethodHead, "getAccessControl"}:      {"Get Path Access Control", "r", false, 'o', lakeAccess},
	{blobLevel, http.MethodPut, "directory"}:                   {"Create Directory", "wc", false, 'o', lakeCreate},
	{blobLevel, http.MethodPut, "file"}:                        {"Create File", "wc", false, 'o', lakeCreate},
	{blobLevel, http.MethodPut, "rename"}:                      {"Rename Path", "mw", false, 'o', lakeRename},
	{blobLevel, http.MethodPatch, "append"}:                    {"Append Data", "wac", false, 'o', lakeAppend},
	{blobLevel, http.MethodPatch, "flush"}:                     {"Flush Data", "wac", false, 'o', lakeFlush},
	{blobLevel, http.MethodPatch, "setProperties"}:             {"Set Path Properties", "w", false, 'o', lakeSetProperties},
	{blobLevel, http.MethodPatch, "setAccessControl"}:          {"Set Path Access Control", "p", false, 'o', nil},
	{blobLevel, http.MethodPatch, "setAccessControlRecursive"}: {"Set Path Access Control Recursive", "p", false, 'o', nil},
	{blobLevel, http.MethodHead, ""}:                           {"Get Path Properties", "r", false, 'o', lakeProperties},
	{blobLevel, http.MethodHead, "getStatus"}:                  {"Get Path Status", "r", false, 'o', lakeProperties},
	{blobLevel, http.MethodHead, "getAccessControl"}:           {"Get Path Access Control", "r", false, 'o', lakeAccess},
	{blobLevel, http.MethodGet, ""}:                            {"Read Path", "r", false, 'o', lakeRead},
	{blobLevel, http.MethodDelete, ""}:                         {"Delete Path", "d", false, 'o', lakeDelete},
	{blobLevel, http.MethodPost, ""}:                           {"Lease Path", "dw", false, 'o', nil},
}

// lakeWhat is what a request asks of the Data Lake protocol.
func (q *request) lakeWhat() string {
	switch {
	case q.Method == http.MethodPut && q.Header.Get("X-Ms-Rename-Source") != "":
		return "rename"
	case q.query.get("action") != "":
		return q.query.get("action")
	}
	return q.query.get("resource")
}

// speaksLake reports whether a request on an address that all services share is of
// the Data Lake protocol. Where the two protocols would do the same it need not be.
func (q *request) speaksLake() bool {
	switch q.query.get("resource") {
	case "filesystem", "directory", "file", "account":
		return true
	}
	switch q.Method {
	case http.MethodPatch:
		return q.query.get("action") != ""
	case http.MethodPut:
		return q.Header.Get("X-Ms-Rename-Source") != ""
	case http.MethodDelete:
		return q.query.get("recursive") != ""
	case http.MethodHead:
		return q.query.get("action") != ""
	case http.MethodPost:
		return q.blob != "" && q.Header.Get("X-Ms-Lease-Action") != ""
	}
	return false
}

// lakeCodes are the names that the Data Lake protocol has for the same refusals.
var lakeCodes = map[string]string{
	"BlobNotFound": "PathNotFound", "ContainerNotFound": "FilesystemNotFound", "ContainerAlreadyExists": "FilesystemAlreadyExists", "BlobAlreadyExists": "PathAlreadyExists",
	"ResourceTypeMismatch": "PathAlreadyExists", "InvalidBlobType": "ResourceTypeMismatch",
}

// writeLake sends the error as the Data Lake protocol does: JSON.
func (e *Error) writeLake(w http.ResponseWriter, r *http.Request) {
	c := *e
	if code, ok := lakeCodes[e.Code]; ok {
		c.Code, c.Message = code, strings.NewReplacer("blob", "path", "container", "filesystem").Replace(e.Message)
	}
	h := w.Header()
	text := c.Message + "\nRequestId:" + h.Get("X-Ms-Request-Id") + "\nTime:" + time.Now().UTC().Format("2006-01-02T15:04:05.0000000Z")
	if c.Detail != "" {
		text += "\n" + c.Detail
	}
	body, err := json.Marshal(map[string]any{"error": map[string]string{"code": c.Code, "message": text}})
	if err != nil {
		body = nil // two strings always encode
	}
	c.send(w, r, "application/json;charset=utf-8", body)
}

// lakeHeaders reads the properties that a request gives a path, and whether it gave any.
func (q *request) lakeHeaders() (contentType string, h headers, md5 []byte, err error) {
	get := func(name string) string { return q.Header.Get("x-ms-" + name) }
	h = headers{Encoding: get("content-encoding"), Language: get("content-language"), Disposition: get("content-disposition"), Cache: get("cache-control")}
	md5, err = headerSum(q.Header, "x-ms-content-md5", 16, errInvalidMD5)
	return get("content-type"), h, md5, err
}

// lakeMetadata reads x-ms-properties: NAME=BASE64 with commas between. It reports
// whether the header was there.
func (q *request) lakeMetadata() (map[string]string, bool, error) {
	text := q.Header.Get("X-Ms-Properties")
	if text == "" {
		return nil, false, nil
	}
	m := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		name, coded, ok := strings.Cut(strings.TrimSpace(pair), "=")
		value, err := decodeBase64(coded)
		if !ok || err != nil {
			return nil, true, invalidHeader("x-ms-properties", text)
		}
		m[strings.TrimSpace(name)] = string(value)
	}
	m, err := cleanMetadata(m)
	return m, true, err
}

// writeLakeState puts what the Data Lake protocol tells of a path into an answer.
func (q *request) writeLakeState(folder bool, metadata map[string]string) {
	h := q.w.Header()
	h.Set("X-Ms-Resource-Type", "file")
	if folder {
		h.Set("X-Ms-Resource-Type", "directory")
	}
	writeOwner(h, folder)
	var pairs []string
	for name, value := range visible(metadata) {
		pairs = append(pairs, name+"="+encodeBase64(value))
	}
	if len(pairs) > 0 {
		h.Set("X-Ms-Properties", strings.Join(pairs, ","))
	}
}

// The access of every path: the account's owner may all.
const (
	lakeOwner       = "$superuser"
	filePermissions = "rw-r-----"
	dirPermissions  = "rwxr-x---"
)

func writeOwner(h http.Header, folder bool) {
	h.Set("X-Ms-Owner", lakeOwner)
	h.Set("X-Ms-Group", lakeOwner)
	h.Set("X-Ms-Permissions", filePermissions)
	if folder {
		h.Set("X-Ms-Permissions", dirPermissions)
	}
}

// lakeAccess serves the action getAccessControl.
func lakeAccess(q *request) error {
	p, err := q.s.lookPath(q.Context(), q.address)
	if err != nil {
		return err
	}
	writeOwner(q.w.Header(), p.folder)
	q.w.Header().Set("X-Ms-Acl", "user::rw-,group::r--,other::---")
	if p.folder {
		q.w.Header().Set("X-Ms-Acl", "user::rwx,group::r-x,other::---")
	}
	if p.record != nil {
		q.stamp(p.record.ETag, p.record.Modified)
	}
	q.empty(http.StatusOK)
	return nil
}

// lakeFilesystem serves Get Filesystem Properties.
func lakeFilesystem(q *request) error {
	b, err := q.record()
	if err != nil {
		return err
	}
	q.stamp(b.quotedETag(), b.modified)
	q.writeLakeState(true, b.metadata)
	q.w.Header().Set("X-Ms-Namespace-Enabled", "true")
	q.empty(http.StatusOK)
	return nil
}

// setLakeFilesystem serves Set Filesystem Properties.
func setLakeFilesystem(q *request) error {
	metadata, _, err := q.lakeMetadata()
	if err != nil {
		return err
	}
	for name, value := range metadata {
		q.Header.Set(metadataPrefix+name, value)
	}
	return setContainerMetadata(q)
}

// lakeProperties serves Get Properties of a path.
func lakeProperties(q *request) error {
	p, err := q.s.lookPath(q.Context(), q.address)
	if err != nil {
		return err
	}
	if p.record == nil {
		q.writeLakeState(true, nil)
		q.stamp(q.s.folderTag(p.container), time.Unix(0, 0))
		q.empty(http.StatusOK)
		return nil
	}
	q.writeLakeState(p.folder, p.record.Metadata)
	return getBlob(q)
}

// folderTag is the ETag of a folder that only its content makes.
func (s *Service) folderTag(container int64) string {
	return `"0x` + strconv.FormatInt(container, 16) + `F0"`
}

// lakeRead serves Read of a path.
func lakeRead(q *request) error {
	p, err := q.s.lookPath(q.Context(), q.address)
	if err != nil {
		return err
	}
	if p.folder {
		return fault(409, "PathIsDirectory", "The path %q is a directory: it cannot be read.", q.blob)
	}
	q.writeLakeState(false, p.record.Metadata)
	return getBlob(q)
}
