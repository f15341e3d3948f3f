package blob

import (
	"database/sql"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// maxBlocks is the most blocks that a blob may have.
const maxBlocks = 50_000

// checkBlockID reports what is wrong with a block's id.
func checkBlockID(id string) error {
	raw, err := base64.StdEncoding.DecodeString(id)
	if err != nil || len(raw) == 0 || len(raw) > 64 {
		return invalidParameter("blockid", id)
	}
	return nil
}

// putBlock serves Put Block and Put Block From URL.
func putBlock(q *request) error {
	id := q.query.get("blockid")
	if err := checkBlockID(id); err != nil {
		return err
	}
	createOnly := q.createOnly()
	check := func(old *record) error {
		if old != nil && createOnly {
			return errOverwrite
		}
		return nil
	}
	var c *content
	var err error
	if q.Header.Get("X-Ms-Copy-Source") != "" {
		c, err = q.bodyFromURL()
	} else {
		c, err = q.body(maxPutBlock, intake{file: true, crc: q.Header.Get("Content-MD5") == ""})
	}
	if err != nil {
		return err
	}
	if err := q.s.stage(q.Context(), q.address, id, c, check); err != nil {
		return err
	}
	if c.md5 != nil {
		q.w.Header().Set("Content-MD5", base64.StdEncoding.EncodeToString(c.md5))
	} else {
		q.w.Header().Set("X-Ms-Content-Crc64", crcText(c.crc))
	}
	q.w.Header().Set("X-Ms-Request-Server-Encrypted", "true")
	q.empty(http.StatusCreated)
	return nil
}

// putBlockList serves Put Block List.
func putBlockList(q *request) error {
	w, err := q.newWrite(false)
	if err != nil {
		return err
	}
	if w.md5, err = headerSum(q.Header, "x-ms-blob-content-md5", 16, errInvalidMD5); err != nil {
		return err
	}
	c, err := q.body(maxBlockList, intake{crc: true, inline: maxBlockList})
	if err != nil {
		return err
	}
	list, err := parseBlockList(strings.NewReader(string(c.data)))
	if err != nil {
		return err
	}
	w.place = inSegments
	w.choose = func(tx *sql.Tx, container int64, old *record) error {
		w.segments, w.size, err = resolve(tx, container, q.blob, old, list)
		return err
	}
	r, err := q.s.commit(q.Context(), q.address, w)
	if err != nil {
		return err
	}
	q.sums(c)
	q.written(http.StatusCreated, r)
	return nil
}

// parseBlockList reads <BlockList> with Committed, Uncommitted and Latest.
func parseBlockList(r io.Reader) ([]listed, error) {
	d := xml.NewDecoder(r)
	var list []listed
	var present *listed
	depth := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && depth == -1 {
			return list, nil
		}
		if err != nil {
			return nil, errXML
		}
		switch t := token.(type) {
		case xml.StartElement:
			switch {
			case depth == 0 && t.Name.Local == "BlockList":
			case depth == 1 && (t.Name.Local == "Latest" || t.Name.Local == "Committed" || t.Name.Local == "Uncommitted"):
				list = append(list, listed{from: t.Name.Local})
				present = &list[len(list)-1]
			default:
				return nil, errXML
			}
			depth++
		case xml.CharData:
			if present != nil {
				present.block += string(t)
			} else if strings.TrimSpace(string(t)) != "" {
				return nil, errXML
			}
		case xml.EndElement:
			if present != nil {
				present.block = strings.TrimSpace(present.block)
				if checkBlockID(present.block) != nil {
					return nil, errBlockList
				}
			}
			present = nil
			if depth--; depth == 0 {
				depth = -1 // nothing may follow
			}
		}
		if len(list) > maxBlocks {
			return nil, fault(400, "BlockListTooLong", "The block list may not contain more than %d blocks.", maxBlocks)
		}
	}
}

// getBlockList serves Get Block List.
func getBlockList(q *request) error {
	kind := q.query.get("blocklisttype")
	switch kind {
	case "":
		kind = "committed"
	case "committed", "uncommitted", "all":
	default:
		return invalidParameter("blocklisttype", kind)
	}
	var r *record
	var committed, staged []segment
	err := q.s.db.View(q.Context(), func(tx *sql.Tx) error {
		id, err := findContainer(tx, q.address)
		if err != nil {
			return err
		}
		if staged, err = stagedBlocks(tx, id, q.blob); err != nil {
			return err
		}
		r, err = q.s.findRecord(tx, q.address)
		if errors.Is(err, errBlobNotFound) && len(staged) > 0 {
			return nil // a blob that has only been begun
		}
		if err != nil {
			return err
		}
		committed, err = committedSegments(tx, r)
		return err
	})
	if err != nil {
		return err
	}
	size := int64(0)
	if r != nil {
		if !r.block() {
			return errBlobType
		}
		size = r.Size
		q.stamp(r.ETag, r.Modified)
	}
	q.w.Header().Set("X-Ms-Blob-Content-Length", strconv.FormatInt(size, 10))
	var b strings.Builder
	b.WriteString(xmlHeader + "<BlockList>")
	if kind != "uncommitted" {
		writeBlocks(&b, "CommittedBlocks", committed)
	}
	if kind != "committed" {
		writeBlocks(&b, "UncommittedBlocks", staged)
	}
	b.WriteString("</BlockList>")
	return q.xml(b.String())
}

func writeBlocks(b *strings.Builder, name string, blocks []segment) {
	b.WriteString("<" + name + ">")
	for _, seg := range blocks {
		b.WriteString("<Block>")
		element(b, "Name", seg.block)
		element(b, "Size", strconv.FormatInt(seg.size, 10))
		b.WriteString("</Block>")
	}
	b.WriteString("</" + name + ">")
}
