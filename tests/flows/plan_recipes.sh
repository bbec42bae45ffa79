#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Plans every recipe of a folder on small made-up data, which it lays where the recipes look for
# theirs; the plans are kept as plans/NAME: plan_recipes.sh FOLDER
here=$(dirname "$0")

# texts FILE ROWS SEPARATOR HEADER LABEL...: rows of a label and a text, no two alike.
texts() {
  file=$1 rows=$2 separator=$3 header=$4
  shift 4
  awk -v rows="$rows" -v header="$header" -v separator="$separator" -v names="$*" 'BEGIN {
    labels = split(names, label, " ")
    print header
    for (i = 0; i < rows; ++i)
      print label[1 + i % labels] separator "words of kind" i % labels " and number " i
  }' >"$file"
}

# Two records of each class: a byte for it, 3072 bytes that differ from record to record.
cifar() {
  from=$1
  for class in 000 001 002 003 004 005 006 007 010 011 000 001 002 003 004 005 006 007 010 011; do
    printf "\\$class"
    seq $from 9999 | head -c 3072
    from=$((from + 53))
  done
}

# idx NAME-OF-PICTURES NAME-OF-LABELS FROM: 40 pictures of 28 x 28 bytes, four of each class.
idx() {
  { printf '\0\0\10\3\0\0\0\50\0\0\0\34\0\0\0\34' && seq $3 99999 | head -c 31360; } | gzip >"$1"
  {
    printf '\0\0\10\1\0\0\0\50'
    for times in 1 2 3 4; do printf '\0\1\2\3\4\5\6\7\10\11'; done
  } | gzip >"$2"
}

make_data() {
  mkdir -p cifar10 fashion_mnist california_housing chnsenticorp plans
  cifar 1000 >cifar10/data_batch_1.bin
  cifar 5000 >cifar10/test_batch.bin
  idx fashion_mnist/train-images-idx3-ubyte.gz fashion_mnist/train-labels-idx1-ubyte.gz 10000
  idx fashion_mnist/t10k-images-idx3-ubyte.gz fashion_mnist/t10k-labels-idx1-ubyte.gz 50000
  sh "$here/make_pictures.sh" pictures 40
  awk 'BEGIN {
    print "longitude,latitude,housing_median_age,total_rooms,total_bedrooms,population," \
          "households,median_income,median_house_value,ocean_proximity"
    for (i = 0; i < 60; ++i)
      print -122 - i / 100 ",3" i % 9 "," i % 50 "," 800 + i "," (i % 7 ? 100 + i : "") "," \
            300 + 2 * i "," 90 + i "," 2 + i / 10 "," 100000 + 1000 * i "," \
            (i % 3 ? "INLAND" : "NEAR BAY")
  }' >california_housing/housing.csv
  printf 'x,y\n1,2\n2,4\n3,6\n' >line.csv
  awk 'BEGIN {
    print "a,b,c,d,e,f,g,h,i,j,y"
    for (r = 0; r < 100; ++r) {
      for (k = 0; k < 10; ++k) printf "%d,", (r * (k + 3)) % 17
      print r % 13
    }
  }' >random.csv
  texts news_train.csv 80 , label,text World Sports Business Sci/Tech
  texts questions_train.csv 60 , label,text ABBR DESC ENTY HUM LOC NUM
  texts ten_kinds.csv 100 , label,text a b c d e f g h i j
  for split in train dev test; do
    texts chnsenticorp/$split.tsv 40 '	' 'label	text_a' 0 1
  done
}

[ -d plans ] || make_data
for recipe in "$1"/*.yaml; do
  name=$(basename "$recipe" .yaml)
  set -- train.epochs=0 train.steps=1 train.micro_batch=3
  [ "$name" != quickstart ] || set -- train.minutes=0 train.steps=1 train.micro_batch=1 train.seq=32
  if ! ingot plan "$recipe" threads=1 "$@" >plans/$name 2>notes; then
    echo "$name: $(sed -n 's/^ingot: error: //p' notes)"
    exit 1
  fi
done
echo "every recipe can be planned"
