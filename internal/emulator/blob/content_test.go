package blob

import (
	"hash/crc64"
	"testing"

	"github.com/minio/crc64nvme"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The polynomial of Azure Storage's CRC64 is that of NVMe.
func TestCRC64IsAzures(t *testing.T) {
	azure := crc64.MakeTable(0x9A6C9329AC4BC9B5)
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 0, 5000).Draw(t, "bytes")
		require.Equal(t, crc64.Checksum(b, azure), crc64nvme.Checksum(b))
	})
}
