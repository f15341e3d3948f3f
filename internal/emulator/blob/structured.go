package blob

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/minio/crc64nvme"
)

// A structured message is a body in segments, each with its CRC64, so that a client
// need not read its content twice: a header (version 1, length of the message,
// flags, number of segments), for each segment its number, length, bytes and CRC64,
// and at the end the CRC64 of all bytes; numbers are little-endian.
const (
	structuredForm    = "XSM/1.0; properties=crc64"
	structuredHeader  = 13
	segmentHeader     = 10
	segmentLimit      = 4 << 20 // of the messages made here
	structuredVersion = 1
	structuredCRC     = 1 // the flag for CRC64
)

// messageReader gives the bytes of a structured message and checks them. The last
// bytes are given before their sum is checked: only io.EOF says that all is well.
type messageReader struct {
	r        io.Reader
	length   int64 // of the whole message
	consumed int64
	begun    bool
	segments uint16
	segment  uint16 // the present one, from 1
	left     uint64 // of the present one
	one, all hash.Hash64
	err      error
}

func newMessageReader(r io.Reader, length int64) *messageReader {
	return &messageReader{r: r, length: length, one: crc64nvme.New(), all: crc64nvme.New()}
}

var errMessage = fault(400, "InvalidInput", "The structured message in the request body is not valid.")

func (m *messageReader) Read(b []byte) (int, error) {
	if m.err != nil {
		return 0, m.err
	}
	n, err := m.read(b)
	m.err = err
	return n, err
}

func (m *messageReader) read(b []byte) (int, error) {
	if !m.begun {
		if err := m.begin(); err != nil {
			return 0, err
		}
	}
	for m.left == 0 {
		done, err := m.next()
		if err != nil {
			return 0, err
		}
		if done {
			return 0, io.EOF
		}
	}
	if uint64(len(b)) > m.left {
		b = b[:m.left]
	}
	n, err := m.r.Read(b)
	m.consumed += int64(n)
	m.left -= uint64(n)
	// Hashes do not fail.
	_, _ = m.one.Write(b[:n])
	_, _ = m.all.Write(b[:n])
	if errors.Is(err, io.EOF) {
		err = nil // if it came too early, the next read says so
		if n == 0 {
			err = io.ErrUnexpectedEOF
		}
	}
	return n, err
}

func (m *messageReader) begin() error {
	var h [structuredHeader]byte
	if err := m.fill(h[:]); err != nil {
		return err
	}
	if h[0] != structuredVersion || binary.LittleEndian.Uint64(h[1:]) != uint64(m.length) || binary.LittleEndian.Uint16(h[9:])&structuredCRC == 0 {
		return errMessage
	}
	m.segments, m.begun = binary.LittleEndian.Uint16(h[11:]), true
	return nil
}

// next ends the present segment and begins another, or reports the message's end.
func (m *messageReader) next() (done bool, err error) {
	if m.segment > 0 {
		if err := m.check(m.one); err != nil {
			return false, err
		}
		m.one.Reset()
	}
	if m.segment == m.segments {
		if err := m.check(m.all); err != nil {
			return false, err
		}
		if m.consumed != m.length {
			return false, errMessage
		}
		return true, nil
	}
	m.segment++
	var h [segmentHeader]byte
	if err := m.fill(h[:]); err != nil {
		return false, err
	}
	m.left = binary.LittleEndian.Uint64(h[2:])
	if binary.LittleEndian.Uint16(h[:]) != m.segment || m.left > uint64(m.length-m.consumed) {
		return false, errMessage
	}
	return false, nil
}

func (m *messageReader) check(sum hash.Hash64) error {
	var b [8]byte
	if err := m.fill(b[:]); err != nil {
		return err
	}
	if binary.LittleEndian.Uint64(b[:]) != sum.Sum64() {
		return errCRC64
	}
	return nil
}

func (m *messageReader) fill(b []byte) error {
	n, err := io.ReadFull(m.r, b)
	m.consumed += int64(n)
	if err != nil {
		return fmt.Errorf("structured message: %w", short(err))
	}
	return nil
}

// messageLength is the length of the structured message of n bytes.
func messageLength(n int64) int64 {
	segments := max(1, (n+segmentLimit-1)/segmentLimit)
	return structuredHeader + segments*(segmentHeader+8) + n + 8
}

// writeMessage writes n bytes of r as a structured message.
func writeMessage(w io.Writer, r io.Reader, n int64) error {
	segments := max(1, (n+segmentLimit-1)/segmentLimit)
	if segments > 0xFFFF {
		return errRange
	}
	h := []byte{structuredVersion}
	h = binary.LittleEndian.AppendUint64(h, uint64(messageLength(n)))
	h = binary.LittleEndian.AppendUint16(h, structuredCRC)
	h = binary.LittleEndian.AppendUint16(h, uint16(segments))
	if _, err := w.Write(h); err != nil {
		return err
	}
	all, one := crc64nvme.New(), crc64nvme.New()
	for i := int64(1); i <= segments; i++ {
		size := min(n, segmentLimit)
		h = binary.LittleEndian.AppendUint16(h[:0], uint16(i))
		h = binary.LittleEndian.AppendUint64(h, uint64(size))
		if _, err := w.Write(h); err != nil {
			return err
		}
		one.Reset()
		if _, err := io.CopyN(io.MultiWriter(w, one, all), r, size); err != nil {
			return err
		}
		n -= size
		if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, one.Sum64())); err != nil {
			return err
		}
	}
	_, err := w.Write(binary.LittleEndian.AppendUint64(nil, all.Sum64()))
	return err
}
