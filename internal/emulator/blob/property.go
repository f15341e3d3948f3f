package blob

import (
	"database/sql"
	"net/http"
	"strconv"
	"time"
)

// writeProperties puts what is known of a blob into an answer.
func (q *request) writeProperties(r *record) {
	h := q.w.Header()
	if r.folder() {
		h.Set("X-Ms-Resource-Type", "directory")
	}
	q.stamp(r.ETag, r.Modified)
	h.Set("Accept-Ranges", "bytes")
	h.Set("Content-Type", r.ContentType)
	for name, value := range map[string]string{"Content-Encoding": r.headers.Encoding, "Content-Language": r.headers.Language,
		"Content-Disposition": r.headers.Disposition, "Cache-Control": r.headers.Cache} {
		if value != "" {
			h.Set(name, value)
		}
	}
	if q.grant.signature {
		q.overrideHeaders()
	}
	if q.protocol == Files {
		q.writeFileProperties(r)
		return
	}
	h.Set("X-Ms-Creation-Time", r.Created.Format(http.TimeFormat))
	h.Set("X-Ms-Blob-Type", r.typeName())
	if r.block() {
		h.Set("X-Ms-Access-Tier", r.tier())
		if r.headers.Tier == "" {
			h.Set("X-Ms-Access-Tier-Inferred", "true")
		}
	} else {
		h.Set("X-Ms-Blob-Committed-Block-Count", strconv.Itoa(r.headers.Blocks))
	}
	if r.kind == liveBlob {
		h.Set("X-Ms-Lease-Status", "locked")
		h.Set("X-Ms-Lease-State", "leased")
		h.Set("X-Ms-Lease-Duration", "infinite")
	} else {
		h.Set("X-Ms-Lease-Status", "unlocked")
		h.Set("X-Ms-Lease-State", "available")
	}
	h.Set("X-Ms-Server-Encrypted", "true")
	if c := r.headers.Copy; c != nil {
		h.Set("X-Ms-Copy-Id", c.ID)
		h.Set("X-Ms-Copy-Source", c.Source)
		h.Set("X-Ms-Copy-Status", "success")
		h.Set("X-Ms-Copy-Progress", strconv.FormatInt(r.Size, 10)+"/"+strconv.FormatInt(r.Size, 10))
		h.Set("X-Ms-Copy-Completion-Time", time.Unix(0, c.Time).UTC().Format(http.TimeFormat))
	}
	writeMetadata(h, r.Metadata)
}

// overrideHeaders gives the answer the headers that a signature asks for.
func (q *request) overrideHeaders() {
	for parameter, name := range map[string]string{"rscc": "Cache-Control", "rscd": "Content-Disposition", "rsce": "Content-Encoding", "rscl": "Content-Language", "rsct": "Content-Type"} {
		if v := q.query.get(parameter); v != "" {
			q.w.Header().Set(name, v)
		}
	}
}

func (r *record) typeName() string {
	if r.block() {
		return "BlockBlob"
	}
	return "AppendBlob"
}

func (r *record) tier() string {
	if r.headers.Tier == "" {
		return "Hot"
	}
	return r.headers.Tier
}

// blobHeaders reads the properties that a write gives a blob: from the x-ms-blob-
// headers, else, when plain is set, from the plain ones.
func (q *request) blobHeaders(plain bool) (contentType string, h headers, err error) {
	read := func(name string) string {
		v := q.Header.Get("X-Ms-Blob-" + name)
		if v == "" && plain {
			v = q.Header.Get(name)
		}
		return v
	}
	tier, err := q.tier()
	if err != nil {
		return "", headers{}, err
	}
	return read("Content-Type"), headers{
		Encoding: read("Content-Encoding"), Language: read("Content-Language"), Disposition: read("Content-Disposition"), Cache: read("Cache-Control"), Tier: tier,
	}, nil
}

// tier reads x-ms-access-tier.
func (q *request) tier() (string, error) {
	switch tier := q.Header.Get("X-Ms-Access-Tier"); tier {
	case "", "Hot", "Cool", "Cold":
		return tier, nil
	case "Archive", "Premium":
		return "", refused("The access tier " + tier)
	default:
		return "", fault(400, "InvalidBlobTier", "The specified blob tier is invalid.")
	}
}

// alter changes a blob's properties in place. change gets the present state, whose
// conditions hold. Unless quiet, the blob has a new ETag and time.
func (q *request) alter(quiet bool, change func(r *record) error) (r *record, err error) {
	c, err := readConditions(q.Header, "")
	if err != nil {
		return nil, err
	}
	err = q.s.db.Update(q.Context(), func(tx *sql.Tx) error {
		if r, err = q.s.findRecord(tx, q.address); err != nil {
			return err
		}
		if match, none := c.failed(r); match || none {
			return errCondition
		}
		if err := change(r); err != nil {
			return err
		}
		if !quiet {
			r.version, r.Modified = q.s.nextETag(), q.s.now()
			r.ETag = r.etag()
		}
		_, err := tx.Exec(`UPDATE blobs SET etag = ?, modified = ?, md5 = ?, content_type = ?, headers = ?, metadata = ? WHERE id = ?`,
			r.version, r.Modified.UnixNano(), r.MD5, r.ContentType, encodeHeaders(r.headers), encodeMetadata(r.Metadata), r.id)
		return err
	})
	return r, err
}

// setBlobMetadata serves Set Blob Metadata.
func setBlobMetadata(q *request) error {
	metadata, err := requestMetadata(q.Header)
	if err != nil {
		return err
	}
	r, err := q.alter(false, func(r *record) error {
		if r.folder() {
			metadata = marked(metadata) // a folder stays one
		}
		r.Metadata = metadata
		return nil
	})
	if err != nil {
		return err
	}
	q.written(http.StatusOK, r)
	return nil
}

// getBlobMetadata serves Get Blob Metadata.
func getBlobMetadata(q *request) error {
	c, err := readConditions(q.Header, "")
	if err != nil {
		return err
	}
	r, err := q.s.find(q.Context(), q.address)
	if err != nil {
		return err
	}
	if err := c.read(r); err != nil {
		return err
	}
	q.stamp(r.ETag, r.Modified)
	writeMetadata(q.w.Header(), r.Metadata)
	q.empty(http.StatusOK)
	return nil
}

// setBlobProperties serves Set Blob Properties: what is not given is cleared.
func setBlobProperties(q *request) error {
	if q.Header.Get("X-Ms-Blob-Content-Length") != "" || q.Header.Get("X-Ms-Sequence-Number-Action") != "" {
		return refused("Changing a page blob")
	}
	contentType, h, err := q.blobHeaders(false)
	if err != nil {
		return err
	}
	sum, err := headerSum(q.Header, "x-ms-blob-content-md5", 16, errInvalidMD5)
	if err != nil {
		return err
	}
	r, err := q.alter(false, func(r *record) error {
		h.Tier, h.Blocks, h.Copy = r.headers.Tier, r.headers.Blocks, r.headers.Copy
		r.ContentType, r.headers, r.MD5 = contentType, h, sum
		if r.ContentType == "" {
			r.ContentType = defaultContentType
		}
		return nil
	})
	if err != nil {
		return err
	}
	q.stamp(r.ETag, r.Modified)
	q.empty(http.StatusOK)
	return nil
}

// setBlobTier serves Set Blob Tier. The tiers are told back and mean nothing here.
func setBlobTier(q *request) error {
	tier, err := q.tier()
	if err != nil {
		return err
	}
	if tier == "" {
		return fault(400, "MissingRequiredHeader", "An HTTP header that's mandatory for this request is not specified: x-ms-access-tier.")
	}
	_, err = q.alter(true, func(r *record) error {
		if !r.block() {
			return errBlobType
		}
		r.headers.Tier = tier
		return nil
	})
	if err != nil {
		return err
	}
	q.empty(http.StatusOK)
	return nil
}

// accountInformation serves Get Account Information.
func accountInformation(q *request) error {
	h := q.w.Header()
	h.Set("X-Ms-Sku-Name", "Standard_LRS")
	h.Set("X-Ms-Account-Kind", "StorageV2")
	h.Set("X-Ms-Is-Hns-Enabled", "false")
	q.empty(http.StatusOK)
	return nil
}

// serviceProperties serves Get Blob Service Properties: the defaults, which cannot
// be changed.
func serviceProperties(q *request) error {
	return q.xml(xmlHeader + `<StorageServiceProperties><Logging><Version>1.0</Version><Read>false</Read><Write>false</Write><Delete>false</Delete>` +
		`<RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></Logging>` +
		`<HourMetrics><Version>1.0</Version><Enabled>false</Enabled><RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></HourMetrics>` +
		`<MinuteMetrics><Version>1.0</Version><Enabled>false</Enabled><RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></MinuteMetrics>` +
		`<Cors /><DeleteRetentionPolicy><Enabled>false</Enabled></DeleteRetentionPolicy><StaticWebsite><Enabled>false</Enabled></StaticWebsite></StorageServiceProperties>`)
}
