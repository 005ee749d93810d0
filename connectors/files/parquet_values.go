package files

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// writeValue appends a value as text that reads back as exactly the same value.
type writeValue func(to []byte, v parquet.Value) []byte

// writerOf chooses the text of a column's values from its type: decimals with their point, times as RFC 3339 (without
// an offset where the type says that they are local), dates as YYYY-MM-DD, UUIDs in their usual form.
func writerOf(t parquet.Type) (writeValue, error) {
	if l := t.LogicalType(); l != nil {
		switch l := l.Value.(type) {
		case *format.DecimalType:
			return decimalWriter(int(l.Scale)), nil
		case *format.DateType:
			return writeDate, nil
		case *format.TimestampType:
			return timeWriter(unitOf(l.Unit), "2006-01-02T15:04:05.999999999", l.IsAdjustedToUTC), nil
		case *format.TimeType:
			return timeWriter(unitOf(l.Unit), "15:04:05.999999999", false), nil
		case *format.UUIDType:
			return writeUUID, nil
		case *format.IntType:
			if !l.IsSigned {
				return writeUnsigned, nil
			}
		case *format.StringType, *format.EnumType, *format.JsonType:
		case *format.Float16Type:
			return nil, errors.New("16-bit floats are not supported: write it as float")
		}
	}
	switch t.Kind() {
	case parquet.Boolean:
		return func(to []byte, v parquet.Value) []byte { return strconv.AppendBool(to, v.Boolean()) }, nil
	case parquet.Int32, parquet.Int64:
		return func(to []byte, v parquet.Value) []byte { return strconv.AppendInt(to, integer(v), 10) }, nil
	case parquet.Int96:
		return writeInt96, nil
	case parquet.Float:
		return func(to []byte, v parquet.Value) []byte {
			return strconv.AppendFloat(to, float64(v.Float()), 'f', -1, 32)
		}, nil
	case parquet.Double:
		return func(to []byte, v parquet.Value) []byte { return strconv.AppendFloat(to, v.Double(), 'f', -1, 64) }, nil
	case parquet.ByteArray:
		return func(to []byte, v parquet.Value) []byte { return append(to, v.ByteArray()...) }, nil
	}
	return nil, fmt.Errorf("values of type %s are not supported", t)
}

func integer(v parquet.Value) int64 {
	if v.Kind() == parquet.Int32 {
		return int64(v.Int32())
	}
	return v.Int64()
}

func writeUnsigned(to []byte, v parquet.Value) []byte {
	if v.Kind() == parquet.Int32 {
		return strconv.AppendUint(to, uint64(v.Uint32()), 10)
	}
	return strconv.AppendUint(to, v.Uint64(), 10)
}

// decimalWriter writes unscaled integers, which byte arrays hold in two's complement, big-endian.
func decimalWriter(scale int) writeValue {
	return func(to []byte, v parquet.Value) []byte {
		var unscaled string
		switch v.Kind() {
		case parquet.Int32, parquet.Int64:
			unscaled = strconv.FormatInt(integer(v), 10)
		default:
			b := v.ByteArray()
			n := new(big.Int).SetBytes(b)
			if len(b) > 0 && b[0] >= 0x80 {
				n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
			}
			unscaled = n.String()
		}
		digits, negative := strings.CutPrefix(unscaled, "-")
		if negative {
			to = append(to, '-')
		}
		if scale <= 0 {
			return append(append(to, digits...), strings.Repeat("0", -scale)...)
		}
		if missing := scale + 1 - len(digits); missing > 0 {
			digits = strings.Repeat("0", missing) + digits
		}
		point := len(digits) - scale
		to = append(append(to, digits[:point]...), '.')
		return append(to, digits[point:]...)
	}
}

func writeDate(to []byte, v parquet.Value) []byte {
	return time.Unix(integer(v)*86400, 0).UTC().AppendFormat(to, time.DateOnly)
}

// unitOf gives how many units a second has.
func unitOf(u format.TimeUnit) int64 {
	switch u.Value.(type) {
	case *format.MilliSeconds:
		return 1_000
	case *format.MicroSeconds:
		return 1_000_000
	}
	return 1_000_000_000
}

func timeWriter(perSecond int64, layout string, utc bool) writeValue {
	return func(to []byte, v parquet.Value) []byte {
		n := integer(v)
		seconds, rest := n/perSecond, n%perSecond
		to = time.Unix(seconds, rest*(1_000_000_000/perSecond)).UTC().AppendFormat(to, layout)
		if utc {
			to = append(to, 'Z')
		}
		return to
	}
}

// writeInt96 writes the times of Impala and old Spark: nanoseconds of the day, then the Julian day, in UTC.
func writeInt96(to []byte, v parquet.Value) []byte {
	x := v.Int96()
	const epoch = 2440588 // the Julian day of 1970-01-01
	nanos := int64(x[0]) | int64(x[1])<<32
	t := time.Unix((int64(x[2])-epoch)*86400, nanos).UTC()
	return t.AppendFormat(to, "2006-01-02T15:04:05.999999999Z")
}

func writeUUID(to []byte, v parquet.Value) []byte {
	h := hex.EncodeToString(v.ByteArray())
	return append(to, h[:8]+"-"+h[8:12]+"-"+h[12:16]+"-"+h[16:20]+"-"+h[20:]...)
}
