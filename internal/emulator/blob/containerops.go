package blob

import (
	"database/sql"
	"net/http"
	"time"
)

// putContainer serves Create Container.
func putContainer(q *request) error {
	if err := checkContainerName(q.container); err != nil {
		return err
	}
	if v := q.Header.Get("X-Ms-Blob-Public-Access"); v != "" {
		return fault(409, "PublicAccessNotPermitted", "Public access is not permitted on this storage account.")
	}
	metadata, err := requestMetadata(q.Header)
	if err == nil && q.protocol == Lake {
		metadata, _, err = q.lakeMetadata()
	}
	if err != nil {
		return err
	}
	b, err := q.s.createContainer(q.Context(), q.address, metadata, q.protocol == Files)
	if err != nil {
		return err
	}
	q.stamp(b.quotedETag(), b.modified)
	q.empty(http.StatusCreated)
	return nil
}

// getContainer serves Get Container Properties and Get Container Metadata.
func getContainer(q *request) error {
	b, err := q.record()
	if err != nil {
		return err
	}
	h := q.w.Header()
	q.stamp(b.quotedETag(), b.modified)
	writeMetadata(h, b.metadata)
	if q.query.get("comp") == "" {
		h.Set("X-Ms-Lease-Status", "unlocked")
		h.Set("X-Ms-Lease-State", "available")
		h.Set("X-Ms-Has-Immutability-Policy", "false")
		h.Set("X-Ms-Has-Legal-Hold", "false")
		h.Set("X-Ms-Default-Encryption-Scope", "$account-encryption-key")
		h.Set("X-Ms-Deny-Encryption-Scope-Override", "false")
	}
	q.empty(http.StatusOK)
	return nil
}

// containerACL serves Get Container ACL: there are no access policies, and no
// public access.
func containerACL(q *request) error {
	b, err := q.record()
	if err != nil {
		return err
	}
	q.stamp(b.quotedETag(), b.modified)
	return q.xml(xmlHeader + "<SignedIdentifiers />")
}

func (q *request) record() (b *containerRecord, err error) {
	err = q.s.db.View(q.Context(), func(tx *sql.Tx) error {
		b, err = readContainer(tx, q.address)
		return err
	})
	return b, err
}

// setContainerMetadata serves Set Container Metadata.
func setContainerMetadata(q *request) error {
	metadata, err := requestMetadata(q.Header)
	if err != nil {
		return err
	}
	check, err := q.containerCheck()
	if err != nil {
		return err
	}
	var b *containerRecord
	err = q.s.db.Update(q.Context(), func(tx *sql.Tx) error {
		if b, err = readContainer(tx, q.address); err != nil {
			return err
		}
		if err := check(b); err != nil {
			return err
		}
		b.etag, b.modified = q.s.nextETag(), q.s.now()
		_, err := tx.Exec(`UPDATE blob_containers SET etag = ?, modified = ?, metadata = ? WHERE id = ?`, b.etag, b.modified.UnixNano(), encodeMetadata(metadata), b.id)
		return err
	})
	if err != nil {
		return err
	}
	q.stamp(b.quotedETag(), b.modified)
	q.empty(http.StatusOK)
	return nil
}

// removeContainer serves Delete Container.
func removeContainer(q *request) error {
	check, err := q.containerCheck()
	if err != nil {
		return err
	}
	if err := q.s.deleteContainer(q.Context(), q.address, check); err != nil {
		return err
	}
	q.empty(http.StatusAccepted)
	return nil
}

// containerCheck reads the conditions on a container, which are those on its time.
func (q *request) containerCheck() (func(*containerRecord) error, error) {
	c, err := readConditions(q.Header, "")
	if err != nil {
		return nil, err
	}
	return func(b *containerRecord) error {
		modified := b.modified.Truncate(time.Second)
		if !c.since.IsZero() && !modified.After(c.since) || !c.unsince.IsZero() && modified.After(c.unsince) {
			return errCondition
		}
		return nil
	}, nil
}
