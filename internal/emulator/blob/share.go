package blob

import (
	"context"
	"database/sql"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// fileOperations is the Azure Files protocol, over the same blobs. A share is a
// container, a file is a blob whose content is written in place.
var fileOperations = map[route]operation{
	{serviceLevel, http.MethodGet, "", "list"}:                      {"List Shares", "l", true, 's', listShares},
	{serviceLevel, http.MethodGet, "service", "properties"}:         {"Get File Service Properties", "r", true, 's', fileServiceProperties},
	{containerLevel, http.MethodPut, "share", ""}:                   {"Create Share", "cw", true, 'c', putContainer},
	{containerLevel, http.MethodGet, "share", ""}:                   {"Get Share Properties", "r", true, 'c', getShare},
	{containerLevel, http.MethodHead, "share", ""}:                  {"Get Share Properties", "r", true, 'c', getShare},
	{containerLevel, http.MethodGet, "share", "metadata"}:           {"Get Share Metadata", "r", true, 'c', getShare},
	{containerLevel, http.MethodHead, "share", "metadata"}:          {"Get Share Metadata", "r", true, 'c', getShare},
	{containerLevel, http.MethodPut, "share", "metadata"}:           {"Set Share Metadata", "w", true, 'c', setContainerMetadata},
	{containerLevel, http.MethodDelete, "share", ""}:                {"Delete Share", "d", true, 'c', removeContainer},
	{containerLevel, http.MethodPut, "share", "snapshot"}:           {"Snapshot Share", "cw", true, 'c', nil},
	{containerLevel, http.MethodPut, "share", "properties"}:         {"Set Share Properties", "w", true, 'c', nil},
	{containerLevel, http.MethodPut, "share", "lease"}:              {"Lease Share", "dw", true, 'c', nil},
	{containerLevel, http.MethodPut, "share", "acl"}:                {"Set Share ACL", "", true, 'c', nil},
	{containerLevel, http.MethodGet, "share", "acl"}:                {"Get Share ACL", "", true, 'c', containerACL},
	{containerLevel, http.MethodGet, "share", "stats"}:              {"Get Share Stats", "r", true, 'c', nil},
	{containerLevel, http.MethodPut, "share", "undelete"}:           {"Restore Share", "w", true, 'c', nil},
	{serviceLevel, http.MethodPost, "service", "userdelegationkey"}: {"Get User Delegation Key", "", true, 's', nil},
	{serviceLevel, http.MethodPut, "service", "properties"}:         {"Set File Service Properties", "w", true, 's', nil},
	{blobLevel, http.MethodPut, "hardlink", ""}:                     {"Create Hard Link", "wc", false, 'o', nil},
	{blobLevel, http.MethodPut, "symboliclink", ""}:                 {"Create Symbolic Link", "wc", false, 'o', nil},
	{blobLevel, http.MethodGet, "symboliclink", ""}:                 {"Get Symbolic Link", "r", false, 'o', nil},
	{containerLevel, http.MethodPut, "share", "filepermission"}:     {"Create Permission", "w", false, 'c', nil},
	{containerLevel, http.MethodGet, "share", "filepermission"}:     {"Get Permission", "r", false, 'c', nil},
	{containerLevel, http.MethodGet, "directory", "list"}:           {"List Directories and Files", "l", false, 'c', listDirectory},
	{containerLevel, http.MethodGet, "directory", ""}:               {"Get Directory Properties", "r", false, 'o', getDirectory},
	{containerLevel, http.MethodHead, "directory", ""}:              {"Get Directory Properties", "r", false, 'o', getDirectory},
	{blobLevel, http.MethodGet, "directory", "list"}:                {"List Directories and Files", "l", false, 'c', listDirectory},
	{blobLevel, http.MethodPut, "directory", ""}:                    {"Create Directory", "wc", false, 'o', putDirectory},
	{blobLevel, http.MethodGet, "directory", ""}:                    {"Get Directory Properties", "r", false, 'o', getDirectory},
	{blobLevel, http.MethodHead, "directory", ""}:                   {"Get Directory Properties", "r", false, 'o', getDirectory},
	{blobLevel, http.MethodGet, "directory", "metadata"}:            {"Get Directory Metadata", "r", false, 'o', getDirectory},
	{blobLevel, http.MethodHead, "directory", "metadata"}:           {"Get Directory Metadata", "r", false, 'o', getDirectory},
	{blobLevel, http.MethodPut, "directory", "metadata"}:            {"Set Directory Metadata", "w", false, 'o', setBlobMetadata},
	{blobLevel, http.MethodPut, "directory", "properties"}:          {"Set Directory Properties", "w", false, 'o', setFileProperties},
	{blobLevel, http.MethodDelete, "directory", ""}:                 {"Delete Directory", "d", false, 'o', deleteDirectory},
	{blobLevel, http.MethodPut, "directory", "rename"}:              {"Rename Directory", "w", false, 'o', renameFile},
	{blobLevel, http.MethodPut, "", ""}:                             {"Create File", "wc", false, 'o', putFile},
	{blobLevel, http.MethodGet, "", ""}:                             {"Get File", "r", false, 'o', getBlob},
	{blobLevel, http.MethodHead, "", ""}:                            {"Get File Properties", "r", false, 'o', getBlob},
	{blobLevel, http.MethodDelete, "", ""}:                          {"Delete File", "d", false, 'o', deleteFile},
	{blobLevel, http.MethodPut, "", "range"}:                        {"Put Range", "w", false, 'o', putRange},
	{blobLevel, http.MethodGet, "", "rangelist"}:                    {"List Ranges", "r", false, 'o', listRanges},
	{blobLevel, http.MethodGet, "", "metadata"}:                     {"Get File Metadata", "r", false, 'o', getBlobMetadata},
	{blobLevel, http.MethodHead, "", "metadata"}:                    {"Get File Metadata", "r", false, 'o', getBlobMetadata},
	{blobLevel, http.MethodPut, "", "metadata"}:                     {"Set File Metadata", "w", false, 'o', setBlobMetadata},
	{blobLevel, http.MethodPut, "", "properties"}:                   {"Set File Properties", "w", false, 'o', setFileProperties},
	{blobLevel, http.MethodPut, "", "rename"}:                       {"Rename File", "w", false, 'o', renameFile},
	{blobLevel, http.MethodPut, "", "copy"}:                         {"Abort Copy File", "w", false, 'o', abortCopy},
	{blobLevel, http.MethodPut, "", "lease"}:                        {"Lease File", "dw", false, 'o', nil},
	{blobLevel, http.MethodGet, "", "listhandles"}:                  {"List Handles", "l", false, 'o', listHandles},
	{blobLevel, http.MethodPut, "", "forceclosehandles"}:            {"Force Close Handles", "w", false, 'o', closeHandles},
	{containerLevel, http.MethodGet, "", "listhandles"}:             {"List Handles", "l", false, 'o', listHandles},
	{containerLevel, http.MethodPut, "", "forceclosehandles"}:       {"Force Close Handles", "w", false, 'o', closeHandles},
}

// speaksFiles reports whether a request on an address that all services share is of
// Azure Files. What may be asked of blobs too is of the share when it is one.
func (q *request) speaksFiles() bool {
	switch q.query.get("restype") {
	case "share", "directory", "hardlink", "symboliclink":
		return true
	case "container", "service", "account":
		return false
	}
	switch q.query.get("comp") {
	case "range", "rangelist", "listhandles", "forceclosehandles", "rename":
		return true
	case "", "metadata", "properties":
	default:
		return false
	}
	if q.Header.Get("X-Ms-Blob-Type") != "" {
		return false
	}
	if q.Header.Get("X-Ms-Type") != "" || q.query.get("sr") == "s" || q.query.get("sr") == "f" {
		return true
	}
	_, share := q.s.shares.Load(q.account + "/" + q.container)
	return share && q.blob != "" && q.query.get("sr") == ""
}

// knowShares reads which containers are shares.
func (s *Service) knowShares(tx *sql.Tx) error {
	names, err := column[string](tx, `SELECT account || '/' || name FROM blob_containers WHERE share = 1`)
	for _, name := range names {
		s.shares.Store(name, true)
	}
	return err
}

// EnsureShare makes the container, and its account, when they are not there, and
// makes it a share: requests that may be for either service are for Azure Files.
func (s *Service) EnsureShare(ctx context.Context, account, share string) error {
	if err := s.EnsureContainer(ctx, account, share); err != nil {
		return err
	}
	a := address{account: account, container: share}
	if _, known := s.shares.Load(a.String()); known {
		return nil
	}
	err := s.db.Update(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE blob_containers SET share = 1 WHERE account = ? AND name = ?`, account, share)
		return err
	})
	if err != nil {
		return a.fault("make share", err)
	}
	s.shares.Store(a.String(), true)
	return nil
}

// fileCodes are the names that Azure Files has for the same refusals.
var fileCodes = map[string]string{
	"BlobNotFound": "ResourceNotFound", "ContainerNotFound": "ShareNotFound", "ContainerAlreadyExists": "ShareAlreadyExists", "BlobAlreadyExists": "ResourceAlreadyExists",
	"PathConflict": "ResourceTypeMismatch", "InvalidBlobType": "ResourceTypeMismatch", "SourcePathNotFound": "ResourceNotFound",
}

// writeFiles sends the error as Azure Files does.
func (e *Error) writeFiles(w http.ResponseWriter, r *http.Request, now time.Time) {
	c := *e
	if code, ok := fileCodes[e.Code]; ok {
		c.Code, c.Message = code, strings.NewReplacer("blob", "resource", "container", "share").Replace(e.Message)
	}
	c.write(w, r, now)
}

// shareQuota is what shares say that they hold, in GiB.
const shareQuota = 5120

// getShare serves Get Share Properties and Get Share Metadata.
func getShare(q *request) error {
	b, err := q.record()
	if err != nil {
		return err
	}
	h := q.w.Header()
	q.stamp(b.quotedETag(), b.modified)
	writeMetadata(h, b.metadata)
	if q.query.get("comp") == "" {
		h.Set("X-Ms-Share-Quota", strconv.Itoa(shareQuota))
		h.Set("X-Ms-Access-Tier", "TransactionOptimized")
		h.Set("X-Ms-Enabled-Protocols", "SMB")
		h.Set("X-Ms-Lease-Status", "unlocked")
		h.Set("X-Ms-Lease-State", "available")
	}
	q.empty(http.StatusOK)
	return nil
}

// listShares serves List Shares.
func listShares(q *request) error {
	l, err := q.window()
	if err != nil {
		return err
	}
	found, from, err := q.s.containers(q.Context(), q.account, l)
	if err != nil {
		return err
	}
	next := ""
	if from != "" {
		next = marker(from)
	}
	metadata := q.includes()["metadata"]
	var b strings.Builder
	q.openList(&b, l)
	b.WriteString("<Shares>")
	for _, one := range found {
		if !one.share {
			continue
		}
		b.WriteString("<Share>")
		element(&b, "Name", one.name)
		b.WriteString("<Properties>")
		element(&b, "Last-Modified", one.modified.Format(http.TimeFormat))
		element(&b, "Etag", one.quotedETag())
		element(&b, "Quota", strconv.Itoa(shareQuota))
		b.WriteString("<LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState></Properties>")
		if metadata {
			writeMetadataXML(&b, one.metadata)
		}
		b.WriteString("</Share>")
	}
	b.WriteString("</Shares>")
	element(&b, "NextMarker", next)
	b.WriteString("</EnumerationResults>")
	return q.xml(b.String())
}

// fileServiceProperties serves Get File Service Properties: the defaults.
func fileServiceProperties(q *request) error {
	return q.xml(xmlHeader + `<StorageServiceProperties><HourMetrics><Version>1.0</Version><Enabled>false</Enabled><RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></HourMetrics>` +
		`<MinuteMetrics><Version>1.0</Version><Enabled>false</Enabled><RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></MinuteMetrics><Cors /></StorageServiceProperties>`)
}

// listHandles serves List Handles: nobody has a file open, as nothing is mounted.
func listHandles(q *request) error {
	return q.xml(xmlHeader + `<EnumerationResults><Entries /><NextMarker /></EnumerationResults>`)
}

// closeHandles serves Force Close Handles.
func closeHandles(q *request) error {
	q.w.Header().Set("X-Ms-Number-Of-Handles-Closed", "0")
	q.w.Header().Set("X-Ms-Number-Of-Handles-Failed", "0")
	q.empty(http.StatusOK)
	return nil
}
