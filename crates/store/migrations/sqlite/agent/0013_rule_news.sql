-- What has changed of rules, of wishes about them and of what was seen at their servers, so that pages get that alone:
-- destinations, by a number that rises with each change. What came until `rules_news_from` is not known one by one.
ALTER TABLE instances RENAME COLUMN looks_revision TO rules_news;
ALTER TABLE instances ADD COLUMN rules_news_from INTEGER NOT NULL DEFAULT 0;
UPDATE instances SET rules_news = rules_news + 1, rules_news_from = rules_news + 1;

CREATE TABLE rule_news (
    instance    TEXT NOT NULL,
    news        INTEGER NOT NULL,
    destination TEXT NOT NULL,
    PRIMARY KEY (instance, news, destination)
) WITHOUT ROWID;
