package columns

import (
	"math/big"

	"github.com/parquet-go/parquet-go"

	"crosslift/schemas/table"
)

// sum is the sum of an integer column, or of one currency's part of it.
type sum struct {
	column     table.Column
	small      int64
	big        big.Int
	currencies map[string]*sum // of money; nil otherwise
}

func (s *sum) add(x int64) {
	if total := s.small + x; (total > s.small) == (x > 0) {
		s.small = total
		return
	}
	s.big.Add(&s.big, big.NewInt(s.small))
	s.small = x
}

// addAll adds values of the column; currencies are those of their rows, where it is money.
func (s *sum) addAll(values, currencies []parquet.Value) {
	for i := range values {
		if values[i].IsNull() {
			continue
		}
		x := values[i].Int64()
		s.add(x)
		if s.currencies == nil {
			continue
		}
		name := currencies[i].ByteArray()
		of := s.currencies[string(name)]
		if of == nil {
			of = &sum{}
			s.currencies[string(name)] = of
		}
		of.add(x)
	}
}

func (s *sum) String() string { return new(big.Int).Add(&s.big, big.NewInt(s.small)).String() }
