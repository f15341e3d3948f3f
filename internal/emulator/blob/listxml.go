package blob

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
)

// maxPage is the most entries of one page.
const maxPage = 5000

// window reads the parameters that listings share.
func (q *request) window() (listing, error) {
	l := listing{prefix: q.query.get("prefix"), delimiter: q.query.get("delimiter"), limit: maxPage}
	if v := q.query.get("maxresults"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			return l, invalidParameter("maxresults", v)
		}
		if n < 1 {
			return l, fault(400, "OutOfRangeQueryParameterValue", "One of the query parameters specified in the request URI is outside the permissible range: maxresults.")
		}
		l.limit = min(n, maxPage)
	}
	if v := q.query.get("marker"); v != "" {
		from, err := base64.URLEncoding.DecodeString(v)
		if err != nil || len(from) == 0 {
			return l, invalidParameter("marker", v)
		}
		l.from = string(from)
	}
	return l, nil
}

// marker is what a client gives back to go on from a name.
func marker(next string) string { return base64.URLEncoding.EncodeToString([]byte(next)) }

// includes reads the include parameter.
func (q *request) includes() map[string]bool {
	m := map[string]bool{}
	for _, what := range strings.Split(strings.ToLower(q.query.get("include")), ",") {
		if what != "" {
			m[strings.TrimSpace(what)] = true
		}
	}
	return m
}

// openList begins the document of a listing.
func (q *request) openList(b *strings.Builder, l listing) {
	scheme := "http"
	if q.TLS != nil || q.URL.Scheme == "https" {
		scheme = "https"
	}
	b.WriteString(xmlHeader + `<EnumerationResults ServiceEndpoint="`)
	escape(b, scheme+"://"+q.Host+"/"+q.account+"/")
	b.WriteByte('"')
	if q.container != "" {
		b.WriteString(` ContainerName="`)
		escape(b, q.container)
		b.WriteByte('"')
	}
	b.WriteByte('>')
	element(b, "Prefix", l.prefix)
	element(b, "Marker", q.query.get("marker"))
	element(b, "MaxResults", strconv.Itoa(l.limit))
	if l.delimiter != "" {
		element(b, "Delimiter", l.delimiter)
	}
}

// listBlobs serves List Blobs.
func listBlobs(q *request) error {
	l, err := q.window()
	if err != nil {
		return err
	}
	include := q.includes()
	if include["uncommittedblobs"] {
		return refused("Listing uncommitted blobs")
	}
	if v := q.query.get("showonly"); v != "" {
		return refused("Listing only " + v)
	}
	p, err := q.s.page(q.Context(), q.address, l)
	if err != nil {
		return err
	}
	var b strings.Builder
	b.Grow(1024 + 900*len(p.entries))
	q.openList(&b, l)
	b.WriteString("<Blobs>")
	for _, e := range p.entries {
		if e.record == nil {
			b.WriteString("<BlobPrefix>")
			nameElement(&b, e.prefix)
			b.WriteString("</BlobPrefix>")
			continue
		}
		writeBlob(&b, e.record, include["metadata"], include["copy"])
	}
	b.WriteString("</Blobs>")
	next := ""
	if p.next != "" {
		next = marker(p.next)
	}
	element(&b, "NextMarker", next)
	b.WriteString("</EnumerationResults>")
	return q.xml(b.String())
}

// writeBlob writes one entry of a listing.
func writeBlob(b *strings.Builder, r *record, metadata, copied bool) {
	b.WriteString("<Blob>")
	nameElement(b, r.Name)
	b.WriteString("<Properties>")
	element(b, "Creation-Time", r.Created.Format(http.TimeFormat))
	element(b, "Last-Modified", r.Modified.Format(http.TimeFormat))
	element(b, "Etag", bare(r.ETag))
	element(b, "Content-Length", strconv.FormatInt(r.Size, 10))
	element(b, "Content-Type", r.ContentType)
	element(b, "Content-Encoding", r.headers.Encoding)
	element(b, "Content-Language", r.headers.Language)
	b.WriteString("<Content-CRC64 />")
	element(b, "Content-MD5", base64.StdEncoding.EncodeToString(r.MD5))
	element(b, "Cache-Control", r.headers.Cache)
	element(b, "Content-Disposition", r.headers.Disposition)
	element(b, "BlobType", r.typeName())
	if r.block() {
		element(b, "AccessTier", r.tier())
		if r.headers.Tier == "" {
			element(b, "AccessTierInferred", "true")
		}
	}
	if r.kind == liveBlob {
		b.WriteString("<LeaseStatus>locked</LeaseStatus><LeaseState>leased</LeaseState><LeaseDuration>infinite</LeaseDuration>")
	} else {
		b.WriteString("<LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState>")
	}
	if c := r.headers.Copy; c != nil && copied {
		element(b, "CopyId", c.ID)
		element(b, "CopySource", c.Source)
		element(b, "CopyStatus", "success")
	}
	b.WriteString("<ServerEncrypted>true</ServerEncrypted></Properties>")
	if metadata {
		writeMetadataXML(b, r.Metadata)
	}
	b.WriteString("<OrMetadata /></Blob>")
}

func writeMetadataXML(b *strings.Builder, m map[string]string) {
	b.WriteString("<Metadata>")
	for name, value := range m { // names are letters, digits and underscores
		element(b, name, value)
	}
	b.WriteString("</Metadata>")
}

// listContainers serves List Containers.
func listContainers(q *request) error {
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
	b.WriteString("<Containers>")
	for _, one := range found {
		b.WriteString("<Container>")
		element(&b, "Name", one.name)
		b.WriteString("<Properties>")
		element(&b, "Last-Modified", one.modified.Format(http.TimeFormat))
		element(&b, "Etag", one.quotedETag())
		b.WriteString("<LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState><DefaultEncryptionScope>$account-encryption-key</DefaultEncryptionScope>" +
			"<DenyEncryptionScopeOverride>false</DenyEncryptionScopeOverride><HasImmutabilityPolicy>false</HasImmutabilityPolicy><HasLegalHold>false</HasLegalHold></Properties>")
		if metadata {
			writeMetadataXML(&b, one.metadata)
		}
		b.WriteString("</Container>")
	}
	b.WriteString("</Containers>")
	element(&b, "NextMarker", next)
	b.WriteString("</EnumerationResults>")
	return q.xml(b.String())
}
