WITH wanted AS MATERIALIZED (
    SELECT DISTINCT grp, word, quote_literal(word)::tsquery AS whole, (quote_literal(word) || ':*')::tsquery AS start
    FROM (SELECT grp, fold(word) AS word FROM unnest($2::int[], $3::text[]) AS typed (grp, word)) AS folded
), stocked AS MATERIALIZED (
    SELECT id, search_name, search_words FROM products WHERE shop_id = $1 AND active
), standing AS MATERIALIZED (
    SELECT s.id, w.grp, max(CASE
        WHEN ts_filter(s.search_words, '{{a}}') @@ w.whole THEN 1.0
        WHEN s.search_words @@ w.whole THEN 0.8
        WHEN length(w.word) >= 4 AND w.word !~ '[0-9]' AND s.search_words @@ w.start THEN 0.7
    END) AS fit
    FROM wanted w JOIN stocked s
        ON s.search_words @@ CASE WHEN length(w.word) >= 4 AND w.word !~ '[0-9]' THEN w.start ELSE w.whole END
    GROUP BY s.id, w.grp
), similar_names AS (
    SELECT s.id, w.grp, max(0.8 * word_similarity(w.word, s.search_name)) AS fit
    FROM wanted w JOIN stocked s ON word_similarity(w.word, s.search_name) >= 0.5
    WHERE length(w.word) >= 4 AND w.word !~ '[0-9]' AND NOT EXISTS (SELECT FROM standing WHERE standing.grp = w.grp)
    GROUP BY s.id, w.grp
), fits AS (
    SELECT id, grp, fit, ln(1 + (SELECT count(*) FROM stocked)::float8 / count(*) OVER (PARTITION BY grp)) AS rarity
    FROM (SELECT * FROM standing UNION ALL SELECT * FROM similar_names) AS both_kinds
), ranked AS (
    SELECT id, sum(fit * rarity) AS score FROM fits GROUP BY id
)
SELECT {columns}
FROM ranked r JOIN products p ON p.shop_id = $1 AND p.id = r.id
WHERE r.score >= 0.45 * (SELECT max(score) FROM ranked)
ORDER BY r.score DESC, (p.stock > 0) DESC, p.id
LIMIT $4
